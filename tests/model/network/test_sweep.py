"""All headings at once: the panorama's features turn as it does."""

import numpy as np
import pytest
import torch

from model.common.errors import BadConfig
from model.inputs.heading_search import swept_turns
from model.inputs.transforms import InputSpec
from model.network.checkpoints import load_bundle
from model.network.clnet import CLNet, CLNetSpec
from model.network.sweep import Sweep
from tests.model.demo_pictures import canvases
from tests.model.tiny import INPUTS, tiny_net


def turned(sweep, pixels, turn):
    with torch.no_grad():
        return sweep(torch.roll(pixels, turn, 2))


@pytest.mark.parametrize("change", [{}, {"maps": 2}, {"ncm": False, "nec": False, "gfr": False}, {"gate": True}])
def test_a_turned_panorama_has_the_same_vectors_turned(change):
    sweep = Sweep(tiny_net(map_spread=3.0, **change)).eval()
    pixels = torch.randint(0, 256, (2, 32, 64, 3), dtype=torch.uint8)
    vectors = turned(sweep, pixels, 0)
    turns = swept_turns(64)
    assert vectors.shape == (2, len(turns), 16)
    for number in (1, 2, 5, len(turns) - 1):
        assert torch.allclose(torch.roll(vectors, -number, 1), turned(sweep, pixels, turns[number]), atol=1e-5)
    assert (vectors[:, 0] - vectors[:, 5]).abs().max() > 1e-3  # or the test would say nothing


def test_layers_that_pad_as_tensorflow_does_turn_too():
    inputs = InputSpec(satellite_px=64, ground_height_px=64, ground_width_px=256)
    torch.manual_seed(0)
    net = CLNet(CLNetSpec(backbone="tf_efficientnet_lite0", levels=(2, 3, 4), dim=16, nec_hidden=8), inputs).eval()
    sweep = Sweep(net).eval()
    pixels = torch.randint(0, 256, (1, 64, 256, 3), dtype=torch.uint8)
    assert torch.allclose(torch.roll(turned(sweep, pixels, 0), -3, 1), turned(sweep, pixels, 24), atol=1e-4)


def test_the_packaged_network_gives_nearly_what_it_gives_of_the_turned_panorama():
    bundle = load_bundle("demo")
    pixels = canvases(2)
    with torch.no_grad():
        vectors = Sweep(bundle.net).eval()(torch.from_numpy(pixels)).numpy()
    from model.network.forward import encode_view

    for number, turn in list(enumerate(swept_turns(pixels.shape[2])))[::8]:
        alone = encode_view(bundle.net, np.roll(pixels, turn, 2), bundle.inputs, "ground", half=None)
        assert (vectors[:, number] * alone).sum(axis=1).min() > 0.9


@pytest.mark.parametrize("change", [{"flow": True}, {"conditioned": True}])
def test_maps_that_depend_on_the_picture_do_not_turn(change):
    with pytest.raises(BadConfig, match="neither turns alone"):
        Sweep(tiny_net(**change))


def test_a_backbone_that_is_not_made_of_convolutions_is_refused():
    torch.manual_seed(0)
    net = CLNet(CLNetSpec(backbone="test_vit", levels=(0, 1), dim=16, nec_hidden=8), INPUTS).eval()
    with pytest.raises(BadConfig, match="do not turn with the panorama"):
        Sweep(net)


def test_a_canvas_of_no_whole_number_of_strides_is_refused():
    inputs = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=72, ground_vertical_deg=None)
    net = CLNet(CLNetSpec(backbone="test_convnext", levels=(1, 2), dim=16, nec_hidden=8), inputs).eval()
    with pytest.raises(BadConfig, match="not a whole number of its network's strides"):
        Sweep(net)
