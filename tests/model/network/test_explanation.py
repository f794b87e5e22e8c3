"""The contributions add up to the very score of the encoder, and lie where the pictures are alike."""

import numpy as np
import pytest
import torch

from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet, CLNetSpec
from model.network.explanation import Explainer, Explanation
from model.network.forward import encode_view


def inputs(**changes) -> InputSpec:
    return InputSpec(**{"satellite_px": 64, "ground_height_px": 32, "ground_width_px": 128} | changes)


def net_of(spec: CLNetSpec, given: InputSpec) -> CLNet:
    torch.manual_seed(3)
    net = CLNet(spec, given).eval()
    with torch.no_grad():
        net.norm.bias.normal_()
        if spec.dim:
            net.projection.bias.normal_()
        for gate in net.gates or ():
            gate[-1].weight.normal_()
    return net


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        (CLNetSpec(dim=32), inputs(polar=True)),
        (CLNetSpec(dim=32), inputs(polar=False)),
        (CLNetSpec(dim=0, ncm=False, nec=False, gfr=False), inputs()),
        (CLNetSpec(dim=16, maps=2, levels=(2, 3)), inputs(polar=True)),
        (CLNetSpec(dim=16, levels=(3,), ncm=False, nec=False, gfr=False), inputs()),
        (CLNetSpec(dim=16, maps=2, levels=(2, 3), conditioned=True, gate=True), inputs(polar=True)),
        (CLNetSpec(dim=16, flow=True, gate=True, plain_mean=False), inputs(polar=True)),
    ],
)
@pytest.mark.parametrize("anchor", [(0.0, 0.0), (0.2, -0.1)])
def test_contributions_sum_to_the_score(spec, given, anchor):
    from model.inputs.anchors import anchor_px, recentre

    net = net_of(spec, given)
    random = np.random.default_rng(1)
    canvas = random.integers(0, 256, (32, 128, 3), np.uint8)
    tile = random.integers(0, 256, (64, 64, 3), np.uint8)
    explained = Explainer(net).explain(canvas, tile, anchor=anchor)
    seen = recentre(tile, *anchor_px(anchor, 64))
    one = encode_view(net, canvas[np.newaxis], given, "ground", half=None)
    other = encode_view(net, seen[np.newaxis], given, "satellite", half=None)
    assert explained.score == pytest.approx(float((one @ other.T)[0, 0]), abs=1e-5)
    assert explained.photo_heat.sum() == pytest.approx(explained.score, abs=1e-9)
    assert explained.tile_heat.sum() == pytest.approx(explained.score, abs=1e-9)
    assert explained.tile_heat.shape == explained.tile_grid == (8, 8)


def test_changing_one_part_of_the_tile_changes_its_heat_more_than_the_rest():
    net = net_of(CLNetSpec(dim=64, levels=(1,), ncm=False, nec=False, gfr=False), inputs())
    canvas = np.random.default_rng(1).integers(0, 256, (32, 128, 3), np.uint8)
    tile = np.full((64, 64, 3), 100, np.uint8)
    plain = Explainer(net).explain(canvas, tile).tile_heat
    tile[48:, 48:] = np.random.default_rng(2).integers(0, 256, (16, 16, 3), np.uint8)
    changed = np.abs(Explainer(net).explain(canvas, tile).tile_heat - plain)
    assert changed[6:, 6:].mean() > 2 * changed[:4, :4].mean()


def test_strongest_pairs_take_no_cell_twice_and_none_that_speaks_against():
    pairs = np.array([[0.5, 0.4, -0.1], [0.3, 0.2, -0.2]])
    explained = Explanation((1, 2), (1, 3), pairs)
    assert explained.strongest(5) == [(0, 0, 0.5), (1, 1, 0.2)]
    assert explained.strongest(1) == [(0, 0, 0.5)]
