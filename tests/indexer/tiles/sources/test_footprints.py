"""Squares around points have their metres at every latitude, and boxes that cannot be meant name their row."""

from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.footprints import checked_boxes, squares
from model.common.geo import LatLon, great_circle_m

WHERE = Path("list.csv")


def edges(*boxes):
    return tuple(np.array(boxes, np.float64).T)


@pytest.mark.parametrize("lat", [0.0, 47.3, -60.0])
def test_a_square_has_its_metres_both_ways(lat):
    west, south, east, north = (edge[0] for edge in squares(np.array([lat]), np.array([8.5]), 100.0))
    assert great_circle_m(LatLon(lat, west), LatLon(lat, east)) == pytest.approx(100.0, rel=1e-4)
    assert great_circle_m(LatLon(south, 8.5), LatLon(north, 8.5)) == pytest.approx(100.0, rel=1e-4)
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((8.5, lat))


def test_a_square_at_180_degrees_crosses_it_and_none_reaches_over_the_pole():
    west, _, east, _ = squares(np.array([0.0, 0.0]), np.array([180.0, -180.0]), 1_000.0)
    assert (west > east).all()
    assert np.allclose(west, 179.995504, atol=1e-5)
    assert np.allclose(east, -179.995504, atol=1e-5)
    _, south, _, north = squares(np.array([-90.0, 90.0]), np.zeros(2), 1_000.0)
    assert (south[0], north[1]) == (-90.0, 90.0)


def test_sensible_boxes_stay_as_they_are_across_the_antimeridian_too():
    given = edges((8.5, 47.1, 8.6, 47.2), (179.9, 0.0, -179.9, 0.1))
    assert checked_boxes(given, None, WHERE) is given


def test_points_among_boxes_become_squares():
    west, south, east, north = checked_boxes(edges((8.5, 47.1, 8.6, 47.2), (8.5, 47.1, 8.5, 47.1)), 200.0, WHERE)
    assert (west[0], south[0], east[0], north[0]) == (8.5, 47.1, 8.6, 47.2)
    assert great_circle_m(LatLon(south[1], 8.5), LatLon(north[1], 8.5)) == pytest.approx(200.0, rel=1e-4)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((8.5, 47.2, 8.6, 47.1), "row 2 of list.csv has south 47.2 above north 47.1"),
        ((8.6, 47.1, 8.5, 47.2), "359.90 degrees wide; are west and east exchanged"),
        ((8.5, 47.1, 8.5, 47.1), r"points, not footprints \(row 2\).*--tile-size-m"),
        ((8.5, 47.1, 8.5, 47.2), "footprint of 0.0 x 11,1"),
        ((0.0, 47.1, 20.0, 47.2), "1,000,000 m a side"),
    ],
)
def test_a_box_that_cannot_be_meant_is_refused_with_its_row(box, reason):
    with pytest.raises(BadSource, match=reason):
        checked_boxes(edges((8.5, 47.1, 8.6, 47.2), box), None, WHERE)
