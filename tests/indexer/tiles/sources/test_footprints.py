from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.footprints import checked_boxes, squares
from model.common.geo import LatLon, great_circle_m

LIST = Path("tiles.csv")


def edges(west, south, east, north):
    return tuple(np.array([value], np.float64) for value in (west, south, east, north))


@pytest.mark.parametrize("lat", [0.0, 47.0, -80.0])
def test_a_square_is_as_wide_as_it_is_high(lat):
    west, south, east, north = (float(edge[0]) for edge in squares(np.array([lat]), np.array([8.0]), 500.0))
    assert great_circle_m(LatLon(lat, west), LatLon(lat, east)) == pytest.approx(500.0, rel=1e-4)
    assert great_circle_m(LatLon(south, 8.0), LatLon(north, 8.0)) == pytest.approx(500.0, rel=1e-4)


def test_a_square_at_180_degrees_crosses():
    west, _, east, _ = squares(np.array([0.0]), np.array([180.0]), 1000.0)
    assert west[0] > 179.9
    assert east[0] < -179.9


def test_points_become_squares_and_boxes_stay():
    both = tuple(np.concatenate(pair) for pair in zip(edges(8, 47, 8, 47), edges(8, 47, 8.01, 47.01), strict=True))
    west, south, east, north = checked_boxes(both, 100.0, LIST)
    assert east[0] > west[0]
    assert (west[1], south[1], east[1], north[1]) == (8.0, 47.0, 8.01, 47.01)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((8, 48, 8.01, 47), "row 1 of tiles.csv has south 48.0 above north 47.0"),
        ((8, 47, 8, 47), "gives points, not footprints"),
        ((9, 47, 8, 47.01), "are west and east exchanged"),
        ((8, 47, 38, 47.01), "a tile is between 0.5 and 1,000,000 m"),
        ((8, 47, 8.01, 47.0000001), "WGS 84 degrees and in their places"),
    ],
)
def test_a_box_that_no_tile_has_is_refused_by_its_row(box, reason):
    with pytest.raises(BadSource, match=reason):
        checked_boxes(edges(*box), None, LIST)
