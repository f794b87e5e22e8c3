import itertools

import pytest
import torch

from model.common.errors import BadConfig
from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet, CLNetSpec

INPUTS = InputSpec(satellite_px=64, ground_height_px=32, ground_width_px=128)


def small(**change):
    torch.manual_seed(0)
    return CLNet(CLNetSpec(**{"backbone": "convnext_atto", "dim": 32, "nec_hidden": 8, **change}), INPUTS).eval()


def pictures(view, count=2):
    torch.manual_seed(1)
    return torch.randn(count, 3, *((32, 128) if view == "ground" else (64, 64)))


@pytest.mark.parametrize("view", ["ground", "satellite"])
def test_descriptors_are_unit_vectors_of_the_dimension_asked_for(view):
    vectors = small()(pictures(view), view)
    assert vectors.shape == (2, 32)
    assert vectors.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)


@pytest.mark.parametrize(("ncm", "nec", "gfr"), list(itertools.product((True, False), repeat=3)))
def test_every_sensible_combination_of_modules_runs(ncm, nec, gfr):
    if (nec or gfr) and not ncm:
        with pytest.raises(BadConfig, match="ncm off"):
            CLNetSpec(ncm=ncm, nec=nec, gfr=gfr)
        return
    net = small(ncm=ncm, nec=nec, gfr=gfr)
    assert all(torch.isfinite(net(pictures(view), view)).all() for view in ("ground", "satellite"))


def test_with_all_modules_off_it_is_the_pooled_backbone():
    net = small(ncm=False, nec=False, gfr=False, levels=(3,), dim=0)
    features = net.backbones["shared"].forward_intermediates(
        pictures("satellite"), indices=[3], intermediates_only=True
    )
    expected = torch.nn.functional.normalize(net.norm(features[0].mean(dim=(2, 3))), dim=1)
    assert torch.allclose(net(pictures("satellite"), "satellite"), expected, atol=1e-6)
    assert net.maps is None


@pytest.mark.parametrize("norm", ["softmax", "sigmoid", "minmax"])
def test_importance_is_a_distribution_of_mean_one_over_positions(norm):
    net = small(norm=norm)
    for view in ("ground", "satellite"):
        for weight in net.importance(view):
            assert torch.allclose((weight - 1).mean(dim=(1, 2)), torch.ones(len(weight)), atol=1e-4)
            assert (weight >= 1).all()


def test_maps_have_the_shape_of_each_levels_features():
    net = small(levels=(1, 2, 3))
    assert [tuple(weight.shape) for weight in net.importance("ground")] == [(80, 4, 16), (160, 2, 8), (320, 1, 4)]
    assert [tuple(weight.shape) for weight in net.importance("satellite")] == [(80, 8, 8), (160, 4, 4), (320, 2, 2)]


def test_the_converter_ties_the_two_views_maps_together():
    net = small()
    before = [weight.clone() for weight in net.importance("satellite")]
    with torch.no_grad():
        net.maps.free[0] += torch.randn_like(net.maps.free[0])
    after = net.importance("satellite")
    assert not torch.allclose(before[0], after[0])
    assert torch.equal(before[1], after[1])


def test_the_direction_decides_which_view_owns_the_free_map():
    assert small(direction="satellite-to-ground").maps.free[0].shape == (80, 8, 8)
    assert small(direction="ground-to-satellite").maps.free[0].shape == (80, 4, 16)


def test_similarity_is_a_sum_over_pairs_of_positions():
    """Pooling and projection are linear: the descriptor before its norms is a mean of per-position vectors."""
    net = small(levels=(2,), dim=0)
    feature = net._features(pictures("ground", 1), "ground")[0]
    weight = net.importance("ground")[0]
    per_position = (feature * weight)[0].flatten(1).T
    pooled = net.norm(per_position.mean(dim=0, keepdim=True))
    assert torch.allclose(net(pictures("ground", 1), "ground"), torch.nn.functional.normalize(pooled, dim=1), atol=1e-5)


def test_gradients_reach_every_parameter():
    net = small().train()
    loss = (net(pictures("ground"), "ground") * net(pictures("satellite"), "satellite").roll(1, 0)).sum()
    (loss * net.logit_scale).backward()
    assert [name for name, value in net.named_parameters() if value.grad is None] == []


def test_separate_backbones_double_the_weights_but_not_the_interface():
    net = small(share_weights=False)
    assert set(net.backbones) == {"ground", "satellite"}
    assert net(pictures("ground"), "ground").shape == (2, 32)


def test_a_vision_transformer_offers_its_levels_too():
    net = small(backbone="vit_tiny_patch16_224", levels=(5, 11), dim=16)
    assert [tuple(weight.shape) for weight in net.importance("ground")] == [(192, 2, 8), (192, 2, 8)]
    assert net(pictures("ground"), "ground").shape == (2, 16)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"backbone": "no_such_net"}, "no model named"),
        ({"levels": (7,)}, "more than the 4 levels"),
        ({"levels": ()}, "levels"),
        ({"levels": (2, 1)}, "rising"),
        ({"norm": "nothing"}, "norm"),
        ({"nec_depth": 0}, "dim is -1; give a whole number of at least 0"),
    ],
)
def test_impossible_specs_are_refused(change, reason):
    with pytest.raises(BadConfig, match=reason):
        small(**change)


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(BadConfig, match="input size"):
        small()(torch.zeros(1, 3, 96, 96), "satellite")
