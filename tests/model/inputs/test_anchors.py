import numpy as np
import pytest

from model.common.errors import BadConfig
from model.inputs.anchors import NEUTRAL, anchor_points, anchor_px, recentre
from model.inputs.transforms import InputSpec


def test_anchors_are_the_middles_of_equal_cells_of_the_tiles_middle_half():
    assert anchor_points(1) == [(0.0, 0.0)]
    points = np.array(anchor_points(3))
    assert np.allclose(sorted(set(points[:, 0].round(9))), [-1 / 6, 0, 1 / 6])
    assert np.allclose(points[0], [-1 / 6, -1 / 6])
    assert np.allclose(points[5], [1 / 6, 0])
    camera = np.random.default_rng(0).uniform(-0.25, 0.25, (1000, 2))
    away = np.abs(camera[:, None] - points).max(axis=2).min(axis=1)
    assert away.max() <= 1 / 12 + 1e-9


@pytest.mark.parametrize(("east", "south"), [(0, 0), (5, 0), (-5, 3), (0, -7), (40, 0)])
def test_an_anchor_becomes_the_centre_and_what_lies_beyond_the_edge_is_neutral(east, south):
    tile = np.random.default_rng(0).integers(0, 100, (2, 32, 32, 3), np.uint8)
    moved = recentre(tile, east, south)
    assert moved.shape == tile.shape
    for row in range(32):
        for column in range(32):
            inside = 0 <= row + south < 32 and 0 <= column + east < 32
            expected = tile[:, row + south, column + east] if inside else NEUTRAL
            assert np.array_equal(moved[:, row, column], np.broadcast_to(expected, (2, 3)))


def test_an_anchor_lies_on_a_whole_pixel():
    assert anchor_px((1 / 6, -1 / 6), 64) == (11, -11)


def test_a_tile_without_an_anchor_is_refused():
    with pytest.raises(BadConfig, match="anchors is 0"):
        InputSpec(anchors=0)
