import numpy as np
import pytest

from indexer.tiles.grid import MERCATOR_HALF_M
from indexer.tiles.sources.windows import boxes_of, place_of
from model.common.geo import Bounds


def test_a_footprint_is_one_box_of_its_pixels():
    ((columns, box),) = boxes_of(Bounds(8.0, 47.0, 9.0, 48.0), 64)
    assert (columns.start, columns.stop, box.width_px, box.height_px) == (0, 64, 64, 64)
    assert box.width_m == pytest.approx(2 * MERCATOR_HALF_M / 360.0)


def test_across_180_degrees_there_are_two_that_share_the_columns():
    (left, west), (right, east) = boxes_of(Bounds(179.0, -1.0, -177.0, 1.0), 64)
    assert (left.start, left.stop, right.start, right.stop) == (0, 16, 16, 64)
    assert west.west_m + west.width_m == pytest.approx(MERCATOR_HALF_M)
    assert east.west_m == pytest.approx(-MERCATOR_HALF_M)


def test_the_corners_of_a_box_are_those_of_its_footprint():
    ((_, box),) = boxes_of(Bounds(8.0, 47.0, 9.0, 48.0), 64)
    lon, lat = place_of(box, np.array([0.0, 1.0]))
    np.testing.assert_allclose(lon, [8.0, 9.0, 8.0, 9.0], atol=1e-9)
    np.testing.assert_allclose(lat, [48.0, 48.0, 47.0, 47.0], atol=1e-9)
