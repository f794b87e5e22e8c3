from dataclasses import replace

import numpy as np
import pytest
import torch

from model.inputs.transforms import InputSpec
from model.network.forward import encode_batch, encode_view, normalise
from tests.model.tiny import INPUTS, tiny_net

SPEC = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, ground_vertical_deg=180.0)


@pytest.mark.parametrize("view", ["ground", "satellite"])
def test_folded_maps_give_what_the_whole_network_gives(view):
    net, shape = tiny_net(), (32, 64) if view == "ground" else (32, 32)
    pixels = np.random.default_rng(0).integers(0, 255, (3, *shape, 3), np.uint8)
    folded = encode_view(net, pixels, INPUTS, view, half=None, importance=net.importance(view))
    whole = encode_batch(net, torch.from_numpy(pixels), INPUTS, view, half=None).detach().numpy()
    assert np.abs(folded - whole).max() < 1e-5
    assert np.linalg.norm(folded, axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_normalised_means_are_zero_for_the_mean_colour():
    grey = torch.tensor(SPEC.mean).mul(255).round().to(torch.uint8).expand(2, 4, 4, 3)
    batch = normalise(grey, SPEC)
    assert batch.shape == (2, 3, 4, 4)
    assert batch.abs().max() < 0.02


def test_normalising_subtracts_the_mean_and_divides_by_the_deviation():
    pixels = torch.randint(0, 256, (2, 3, 5, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    spec = replace(SPEC, mean=(0.5, 0.25, 0.125), std=(0.5, 0.2, 0.1))
    by_hand = (pixels.double() / 255 - torch.tensor([0.5, 0.25, 0.125])) / torch.tensor([0.5, 0.2, 0.1])
    found = normalise(pixels, spec)
    assert found.is_contiguous()
    torch.testing.assert_close(found, by_hand.permute(0, 3, 1, 2).float(), atol=1e-5, rtol=0)


def test_pixels_are_normalised_where_they_lie():
    assert normalise(torch.zeros(1, 2, 2, 3, dtype=torch.uint8, device="meta"), SPEC).is_meta  # no CPU, yet everywhere
