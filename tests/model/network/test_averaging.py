from dataclasses import replace

import pytest
import torch

from model.common.errors import BadCheckpoint, BadConfig
from model.network.averaging import average_bundles
from model.network.checkpoints import load_bundle, save_bundle, start_from
from tests.model.tiny import tiny_net


@pytest.fixture
def names(tmp_path):
    for seed in range(3):
        save_bundle(tmp_path / f"b{seed}", tiny_net(seed=seed), name=f"b{seed}", provenance={"steps": seed}, metrics={})
    return [str(tmp_path / f"b{seed}") for seed in range(3)]


def test_each_bundle_counts_the_same(names):
    first, provenance = average_bundles(names)
    states = [load_bundle(name).net.state_dict() for name in names]
    for key, value in first.net.named_parameters():
        mean = torch.stack([state[key] for state in states]).mean(dim=0)
        torch.testing.assert_close(value, mean, rtol=1e-5, atol=1e-6)
    assert provenance["steps"] == 0
    assert [one["name"] for one in provenance["average_of"]] == ["b0", "b1", "b2"]
    assert [one["digest"] for one in provenance["average_of"]] == [load_bundle(name).digest for name in names]


def test_shares_say_how_much_each_counts(names):
    first, provenance = average_bundles(names, [1, 2, 5])
    states = [load_bundle(name).net.state_dict() for name in names]
    for key, value in first.net.named_parameters():
        mean = (states[0][key] + 2 * states[1][key] + 5 * states[2][key]) / 8
        torch.testing.assert_close(value, mean, rtol=1e-5, atol=1e-6)
    assert [one["share"] for one in provenance["average_of"]] == [0.125, 0.25, 0.625]


@pytest.mark.parametrize("shares", [[1, 2], [1, 0, 1], [1, -1, 1], [1, float("nan"), 1], [1, 1, float("inf")]])
def test_each_bundle_has_a_share_above_0(names, shares):
    with pytest.raises(BadConfig, match="for 3 bundles; give each one a number above 0"):
        average_bundles(names, shares)


def test_one_bundle_or_the_same_twice_is_no_average(names):
    with pytest.raises(BadConfig, match="1 bundle is given; an average takes two at least"):
        average_bundles(names[:1])
    with pytest.raises(BadConfig, match="are one bundle; name each once"):
        average_bundles([names[0], names[1], names[0]])


def test_the_mean_looks_as_far_down_as_is_asked(tmp_path):
    names = [str(tmp_path / name) for name in ("one", "two")]
    for seed, name in enumerate(names):
        net = tiny_net(seed)
        net.inputs = replace(net.inputs, ground_vertical_deg=40.0)
        save_bundle(name, net, name=name, provenance={}, metrics={})
    first, provenance = average_bundles(names[:1], lowered_deg=6.0)
    save_bundle(tmp_path / "lowered", first.net, name="lowered", provenance=provenance, metrics={})
    lowered, before = load_bundle(tmp_path / "lowered"), load_bundle(names[0])
    assert lowered.inputs == replace(before.inputs, ground_lowered_deg=6.0)
    for key, value in before.net.state_dict().items():
        assert torch.equal(lowered.net.state_dict()[key], value)
    start_from(before.net, tmp_path / "lowered")  # no weight depends on it
    with pytest.raises(BadConfig, match="ground_lowered_deg is 50"):
        average_bundles(names, lowered_deg=50.0)


def test_what_sees_a_pictures_whole_height_cannot_look_down(names):
    with pytest.raises(
        BadConfig, match=r"--lowered-deg 6 changes nothing for .*ground_vertical_deg null\); leave it out"
    ):
        average_bundles(names, lowered_deg=6.0)


def test_another_network_is_refused_with_what_differs(names, tmp_path):
    save_bundle(tmp_path / "other", tiny_net(dim=8), name="other", provenance={}, metrics={})
    with pytest.raises(BadConfig, match="another network"):
        average_bundles([names[0], str(tmp_path / "other")])
    with pytest.raises(BadCheckpoint):
        average_bundles([names[0], str(tmp_path / "absent")])
