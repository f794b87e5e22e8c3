"""CLNet on backbones of other families than the default: any grid, any number of levels, any input size."""

import pytest
import torch

from model.common.errors import BadConfig
from model.inputs.transforms import InputSpec
from model.network.backbones import save_memory
from model.network.checkpoints import load_bundle, save_bundle
from model.network.clnet import CLNet, CLNetSpec

EVEN = InputSpec(satellite_px=64, ground_height_px=32, ground_width_px=128)
UNEVEN = InputSpec(satellite_px=50, ground_height_px=44, ground_width_px=135)
TINY = {
    "test_convnext": (1, 3),
    "test_vit": (2, 5),
    "test_resnet": (2, 4),
    "test_efficientnet": (3, 4),
}
NAMED = {
    "convnext_femto": (1, 2, 3),
    "convnextv2_atto": (1, 2, 3),
    "convnext_tiny.dinov3_lvd1689m": (2, 3),
    "vit_small_patch14_dinov2": (5, 11),
    "vit_small_patch14_reg4_dinov2": (11,),
    "vit_small_patch16_dinov3": (5, 11),
}
every_backbone = pytest.mark.parametrize(
    ("backbone", "levels"),
    [*TINY.items(), *(pytest.param(*item, marks=pytest.mark.slow) for item in NAMED.items())],
)


def built(backbone, levels, inputs, **change):
    torch.manual_seed(0)
    return CLNet(CLNetSpec(backbone, levels, dim=16, nec_hidden=8, **change), inputs)


def pictures(inputs, view):
    torch.manual_seed(1)
    width, height = inputs.ground_size_px if view == "ground" else inputs.satellite_size_px
    return torch.randn(2, 3, height, width)


@pytest.mark.parametrize("inputs", [EVEN, UNEVEN], ids=["even", "uneven"])
@every_backbone
def test_maps_fit_the_levels_and_a_bundle_brings_the_same_network_back(tmp_path, backbone, levels, inputs):
    net = built(backbone, levels, inputs).eval()
    save_bundle(tmp_path / "b", net, name="any", provenance={}, metrics={}, dtype=torch.float32)
    again = load_bundle(tmp_path / "b").net
    for view in ("ground", "satellite"):
        with torch.inference_mode():
            vectors = net(pictures(inputs, view), view)
            assert vectors.shape == (2, 16)
            assert torch.isfinite(vectors).all()
            assert torch.allclose(again(pictures(inputs, view), view), vectors, atol=1e-5)


@every_backbone
def test_gradients_reach_every_parameter(backbone, levels):
    net = built(backbone, levels, EVEN).train()
    loss = (net(pictures(EVEN, "ground"), "ground") * net(pictures(EVEN, "satellite"), "satellite").roll(1, 0)).sum()
    (loss * net.logit_scale).backward()
    assert [name for name, value in net.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize(("backbone", "levels"), TINY.items())
def test_finding_the_grid_changes_no_initial_weight(backbone, levels):
    even, uneven = (built(backbone, levels, inputs, ncm=False, nec=False, gfr=False) for inputs in (EVEN, UNEVEN))
    for key, value in even.state_dict().items():
        assert torch.equal(uneven.state_dict()[key], value)
    assert uneven.training


def test_a_backbone_for_one_input_size_only_is_refused():
    with pytest.raises(BadConfig, match="test_maxvit takes pictures of one size only"):
        built("test_maxvit", (1, 2), EVEN)


@pytest.mark.slow
def test_a_backbone_that_pads_nothing_takes_whole_patches_and_refuses_parts_of_them():
    inputs = InputSpec(satellite_px=64, ground_height_px=44, ground_width_px=132)
    net = built("swin_tiny_patch4_window7_224", (2, 3), inputs).eval()
    with torch.inference_mode():
        assert net(pictures(inputs, "ground"), "ground").shape == (2, 16)
    with pytest.raises(BadConfig, match=r"50 or 135 x 44 pixels \(.*\); give multiples of 32"):
        built("swin_tiny_patch4_window7_224", (2, 3), UNEVEN)


def test_a_backbone_that_cannot_compute_activations_again_is_named():
    class Plain:
        def set_grad_checkpointing(self, enable):
            assert not enable, "gradient checkpointing not supported"

    for backbone in (Plain(), object()):
        with pytest.raises(BadConfig, match="plain cannot compute its activations again"):
            save_memory(backbone, "plain")
