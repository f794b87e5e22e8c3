import itertools
import math

import numpy as np
import pytest
import torch

from model.common.errors import BadConfig
from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet, CLNetSpec, _gate, _pool, _require_same_grid

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


@pytest.mark.parametrize("norm", ["softmax", "sigmoid", "minmax"])
def test_each_norm_is_its_formula_scaled_to_mean_one(norm):
    net = small(norm=norm, levels=(2, 3))
    for raw, weight in zip(net.maps("satellite"), net.importance("satellite"), strict=True):
        flat = raw.detach().double().flatten(1).numpy()
        if norm == "minmax":
            spread = flat.max(axis=1, keepdims=True) - flat.min(axis=1, keepdims=True)
            flat = (flat - flat.min(axis=1, keepdims=True)) / spread + 1e-6
        else:
            flat = np.exp(flat) if norm == "softmax" else 1 / (1 + np.exp(-flat))
        expected = 1 + flat / flat.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(weight.detach().flatten(1), expected, rtol=1e-5, atol=1e-5)


def test_a_flat_map_says_by_any_norm_that_every_position_counts_alike():
    for norm in ("softmax", "sigmoid", "minmax"):
        net = small(norm=norm)
        with torch.no_grad():
            net.maps.free[0].fill_(3.0)
        assert torch.allclose(net.importance("ground")[0], torch.full((80, 4, 16), 2.0))


def test_without_recalibration_the_raw_map_is_added_to_one():
    net = small(gfr=False)
    for view in ("ground", "satellite"):
        for raw, weight in zip(net.maps(view), net.importance(view), strict=True):
            assert torch.equal(weight, 1 + raw)
    assert small(ncm=False, nec=False, gfr=False, levels=(1, 2)).importance("ground") == [None, None]


def test_folded_maps_that_are_at_hand_are_taken():
    net = small()
    usual, folded = net(pictures("ground"), "ground"), net.importance("ground")
    assert torch.equal(net(pictures("ground"), "ground", folded), usual)
    turned = [weight.flip(2) for weight in folded]
    assert not torch.allclose(net(pictures("ground"), "ground", turned), usual, atol=1e-4)


@pytest.mark.parametrize(
    ("activation", "layer"), [("gelu", torch.nn.GELU), ("relu", torch.nn.ReLU), ("tanh", torch.nn.Tanh)]
)
def test_a_converter_is_a_perceptron_over_the_positions_of_the_other_grid(activation, layer):
    linear = torch.nn.Linear
    net = small(levels=(2, 3), nec_depth=3, nec_activation=activation)
    shapes = [[(8, 16), (8, 8), (16, 8)], [(8, 4), (8, 8), (4, 8)]]  # 2 x 8 to 4 x 4 positions, 1 x 4 to 2 x 2
    for converter, free, found, shape in zip(
        net.maps.converted, net.maps.free, net.maps("satellite"), shapes, strict=True
    ):
        assert [type(part) for part in converter] == [linear, layer, linear, layer, linear]
        assert [tuple(part.weight.shape) for part in converter if isinstance(part, linear)] == shape
        assert torch.equal(found.flatten(1), converter(free.flatten(1)))
    assert [type(part) for part in small(nec_depth=1).maps.converted[0]] == [linear]


@pytest.mark.parametrize("spread", [0.02, 1.0])
def test_without_a_converter_each_view_has_free_maps_of_its_own_with_the_spread_asked_for(spread):
    net = small(nec=False, map_spread=spread)
    assert [tuple(value.shape) for value in net.maps("satellite")] == [(80, 8, 8), (160, 4, 4), (320, 2, 2)]
    assert all(a is b for a, b in zip(net.maps("satellite"), net.maps.converted, strict=True))
    assert all(a is b for a, b in zip(net.maps("ground"), net.maps.free, strict=True))
    for value in (*net.maps.free, *net.maps.converted):
        assert value.std().item() == pytest.approx(spread, rel=0.05)
        assert abs(value.mean().item()) < 0.1 * spread


def test_the_head_is_a_norm_and_a_projection_and_the_temperature_starts_as_in_clip():
    net = small(levels=(1, 2))
    assert (net.norm.normalized_shape, net.norm.eps) == ((240,), 1e-6)
    assert (net.projection.in_features, net.projection.out_features, net.dim) == (240, 32, 32)
    assert net.logit_scale.item() == pytest.approx(math.log(1 / 0.07))
    plain = small(levels=(1, 2), dim=0)
    assert (type(plain.projection), plain.dim) == (torch.nn.Identity, 240)


def test_each_view_is_embedded_by_its_own_backbone():
    net = small(share_weights=False)
    before = {view: net(pictures(view), view) for view in ("ground", "satellite")}
    with torch.no_grad():
        for value in net.backbones["satellite"].parameters():
            value.add_(torch.randn_like(value))
    assert torch.equal(net(pictures("ground"), "ground"), before["ground"])
    assert not torch.allclose(net(pictures("satellite"), "satellite"), before["satellite"], atol=1e-4)


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
    feature = net.features(pictures("ground", 1), "ground")[0]
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
        ({"levels": ()}, r"levels is \(\); give rising level indices, for example 1,2,3$"),
        ({"levels": (2, 1)}, "rising"),
        ({"levels": (2, 2)}, "rising"),
        ({"norm": "nothing"}, "^norm is 'nothing'; give one of softmax, sigmoid, minmax$"),
        ({"nec_activation": "elu"}, "^nec_activation is 'elu'; give one of gelu, relu, tanh$"),
        ({"direction": "north"}, "^direction is 'north'; give one of ground-to-satellite, satellite-to-ground$"),
        ({"nec_depth": 0}, "nec_depth is 0; give a whole number of at least 1"),
        ({"nec_hidden": 0}, "nec_hidden is 0; give a whole number of at least 1"),
        ({"dim": -1}, "dim is -1; give a whole number of at least 0"),
    ],
)
def test_impossible_specs_are_refused(change, reason):
    with pytest.raises(BadConfig, match=reason):
        small(**change)


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(BadConfig, match="input size"):
        small()(torch.zeros(1, 3, 96, 96), "satellite")


def test_several_maps_pool_a_level_several_times():
    net = small(maps=3, dim=0)
    assert [tuple(weight.shape) for weight in net.importance("satellite")] == [(240, 8, 8), (480, 4, 4), (960, 2, 2)]
    pooled = net.norm.weight.numel()
    assert pooled == net.dim == 3 * (80 + 160 + 320)
    features = net.features(pictures("ground"), "ground")[0]
    weight = net.importance("ground")[0]
    by_hand = torch.cat([(features * part).mean(dim=(2, 3)) for part in weight.chunk(3)], dim=1)
    assert torch.allclose(_pool(features, weight), by_hand, atol=1e-5)


def test_maps_that_start_spread_out_weigh_positions_from_the_first_step_on():
    flat, spread = (small(map_spread=value).importance("ground")[0] for value in (0.02, 1.0))
    assert flat.std() < 0.03
    assert spread.std() > 0.5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"maps": 0}, "maps is 0"),
        ({"map_spread": 0.0}, r"map_spread is 0\.0; give a number above 0"),
        ({"maps": 2, "ncm": False, "nec": False, "gfr": False}, "maps is 2 with ncm off"),
    ],
)
def test_impossible_maps_are_refused(change, reason):
    with pytest.raises(BadConfig, match=reason):
        CLNetSpec(**change)


READINGS = [
    {"flow": True},
    {"conditioned": True},
    {"conditioned": True, "maps": 2},
    {"gate": True},
    {"nec_bound": 3.0},
    {"plain_mean": False},
    {"flow": True, "conditioned": True, "gate": True, "nec_bound": 3.0, "plain_mean": False},
]


@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_each_reading_learns_with_every_parameter(reading):
    net = small(**reading).train()
    vectors = net(pictures("ground"), "ground")
    assert vectors.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    ((vectors * net(pictures("satellite"), "satellite").roll(1, 0)).sum() * net.logit_scale).backward()
    assert [name for name, value in net.named_parameters() if value.grad is None] == []


def test_importance_conditioned_on_the_picture_is_the_softmax_of_map_times_features():
    net = small(conditioned=True, levels=(2,), dim=0)
    with torch.no_grad():
        feature, raw = net.features(pictures("ground"), "ground")[0], net.maps("ground")[0]
        flat = (feature * raw).flatten(2)
        importance = (torch.softmax(flat, dim=2) * flat.shape[2]).view_as(feature)
        by_hand = net.norm((feature * (1 + importance)).mean(dim=(2, 3)))
        assert torch.allclose(
            net(pictures("ground"), "ground"), torch.nn.functional.normalize(by_hand, dim=1), atol=1e-5
        )
        own, other = net(pictures("ground"), "ground"), net(pictures("ground").flip(0), "ground")
        assert torch.allclose(own, other.flip(0), atol=1e-6)  # each picture by itself


def test_recalibrated_features_flow_into_the_next_level():
    net = small(flow=True, levels=(1, 2), dim=0)
    backbone, weights = net.backbones["shared"], net.importance("satellite")
    with torch.no_grad():
        first = backbone.stages[1](backbone.stages[0](backbone.stem(pictures("satellite")))) * weights[0]
        second = backbone.stages[2](first) * weights[1]
        by_hand = net.norm(torch.cat([first.mean(dim=(2, 3)), second.mean(dim=(2, 3))], dim=1))
        got = net(pictures("satellite"), "satellite")
    assert torch.allclose(got, torch.nn.functional.normalize(by_hand, dim=1), atol=1e-5)


@pytest.mark.parametrize("flow", [True, False])
def test_a_gate_is_open_at_first_and_then_weighs_channels(flow):
    net, without = small(gate=True, flow=flow), small(flow=flow)
    without.load_state_dict({k: v for k, v in net.state_dict().items() if not k.startswith("gates.")})
    assert torch.allclose(net(pictures("ground"), "ground"), without(pictures("ground"), "ground"), atol=1e-6)
    with torch.no_grad():
        net.gates[0][-1].bias[:40] = -20.0
    assert torch.equal((net.gate(0, torch.randn(2, 80)) < 1e-6).sum(dim=1), torch.tensor([40, 40]))
    assert not torch.allclose(net(pictures("ground"), "ground"), without(pictures("ground"), "ground"), atol=1e-3)


def opened(net):
    """The same with gates that say something, and the gate by hand: norm, narrow layer, GELU, wide layer, sigmoid."""
    torch.manual_seed(2)
    with torch.no_grad():
        for gate in net.gates:
            gate[-1].weight.normal_(std=0.5)
            gate[-1].bias.normal_()

    def by_hand(level, means):
        norm, narrow, _, wide = net.gates[level]
        return 2 / (1 + torch.exp(-wide(torch.nn.functional.gelu(narrow(norm(means))))))

    return net, by_hand


@torch.no_grad()
def test_a_gate_multiplies_the_weighted_means_that_it_is_computed_from():
    net, gate = opened(small(gate=True, levels=(1, 2), dim=0))
    features = net.features(pictures("ground"), "ground")
    means = [(one * weight).mean(dim=(2, 3)) for one, weight in zip(features, net.importance("ground"), strict=True)]
    by_hand = net.norm(torch.cat([one * gate(level, one) for level, one in enumerate(means)], dim=1))
    expected = torch.nn.functional.normalize(by_hand, dim=1)
    assert torch.allclose(net(pictures("ground"), "ground"), expected, atol=1e-5)


@torch.no_grad()
def test_a_gate_multiplies_the_features_that_flow_on():
    net, gate = opened(small(gate=True, flow=True, levels=(1, 2), dim=0, share_weights=False))
    flowing, means = pictures("satellite"), []
    backbone, weights = net.backbones["satellite"], net.importance("satellite")
    flowing = backbone.stages[0](backbone.stem(flowing))
    for level in (0, 1):
        flowing = backbone.stages[level + 1](flowing) * weights[level]
        flowing = flowing * gate(level, flowing.mean(dim=(2, 3)))[:, :, None, None]
        means.append(flowing.mean(dim=(2, 3)))
    expected = torch.nn.functional.normalize(net.norm(torch.cat(means, dim=1)), dim=1)
    assert torch.allclose(net(pictures("satellite"), "satellite"), expected, atol=1e-5)


@torch.no_grad()
def test_without_maps_the_backbones_own_features_flow_to_the_levels():
    net = small(levels=(1, 2))
    flowing = net._flowing(pictures("ground"), "ground", [None, None])
    for one, other in zip(flowing, net.features(pictures("ground"), "ground"), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(("channels", "narrow"), [(8, 8), (32, 8), (36, 9), (80, 20)])
def test_a_gate_is_a_quarter_as_wide_as_its_channels_and_no_narrower_than_eight(channels, narrow):
    assert [layer.out_features for layer in _gate(channels) if isinstance(layer, torch.nn.Linear)] == [narrow, channels]


@torch.no_grad()
def test_several_maps_are_told_by_channels_not_by_rows():
    feature = torch.rand(1, 2, 4, 3)  # as many map channels as rows
    weight = torch.rand(4, 4, 3)
    by_hand = torch.cat([(feature * weight[:2]).mean(dim=(2, 3)), (feature * weight[2:]).mean(dim=(2, 3))], dim=1)
    assert torch.allclose(_pool(feature, weight), by_hand, atol=1e-6)
    with pytest.raises(BadConfig, match=r"a level gives \(3, 4, 3\) where its map has \(4, 4, 3\)"):
        _require_same_grid(torch.rand(1, 3, 4, 3), weight)
    _require_same_grid(torch.rand(1, 2, 4, 3), torch.rand(6, 4, 3))


@pytest.mark.parametrize(
    ("direction", "owner"), [("ground-to-satellite", "ground"), ("satellite-to-ground", "satellite")]
)
def test_the_owner_of_the_free_maps_is_named(direction, owner):
    assert small(direction=direction).maps.owner == owner


def test_bounded_maps_stay_within_their_bound_and_small_ones_stay_as_they_are():
    free, bounded, wide = small(), small(nec_bound=0.1), small(nec_bound=1e4)
    assert max(raw.abs().max().item() for raw in bounded.maps("satellite")) <= 0.1 + 1e-6
    assert torch.equal(bounded.maps("ground")[0], free.maps("ground")[0])
    for one, other in zip(wide.maps("satellite"), free.maps("satellite"), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_without_the_plain_mean_importance_is_the_distribution_alone():
    beside, alone = small(), small(plain_mean=False)
    for one, other in zip(beside.importance("ground"), alone.importance("ground"), strict=True):
        assert torch.allclose(one - 1, other, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"flow": True, "maps": 2}, "maps is 2 with flow on"),
        ({"flow": True, "backbone": "vit_tiny_patch16_224", "levels": (5,)}, "has none; leave flow out"),
        ({"conditioned": True, "gfr": False}, "^conditioned is on with gfr off, which it changes; turn gfr on$"),
        ({"nec_bound": 2.0, "nec": False}, "nec_bound is 2.0 with nec off"),
        ({"nec_bound": -1.0}, "nec_bound is -1.0; give"),
        ({"gate": True, "ncm": False, "nec": False, "gfr": False}, "^flow, gate and plain_mean .* or leave them out$"),
        ({"plain_mean": False, "ncm": False, "nec": False, "gfr": False}, "ncm is off"),
    ],
)
def test_impossible_readings_are_refused(change, reason):
    with pytest.raises(BadConfig, match=reason):
        small(**change)


@pytest.mark.parametrize("reading", [{"conditioned": True}, {"flow": True}])
def test_a_picture_of_another_size_is_refused_by_every_reading(reading):
    with pytest.raises(BadConfig, match=r"; the input size must be the one in the checkpoint's spec$"):
        small(**reading)(torch.zeros(1, 3, 96, 96), "satellite")
