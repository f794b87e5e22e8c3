from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.footprints import LONGEST_M, SHORTEST_M, checked_boxes, squares
from model.common.geo import LatLon, great_circle_m

HERE = Path("here")


def edges(*boxes: tuple[float, float, float, float]) -> tuple[np.ndarray, ...]:
    west, south, east, north = np.array(boxes, np.float64).T
    return west, south, east, north


@pytest.mark.parametrize("lat", [-89.0, -47.0, 0.0, 60.0, 85.2])
def test_squares_have_the_side_asked_for_at_every_latitude(lat: float) -> None:
    west, south, east, north = squares(np.array([lat]), np.array([179.9999]), 100.0)
    assert great_circle_m(LatLon(lat, west[0]), LatLon(lat, east[0])) == pytest.approx(100.0, rel=1e-4)
    assert great_circle_m(LatLon(south[0], 0.0), LatLon(north[0], 0.0)) == pytest.approx(100.0, rel=1e-6)
    assert west[0] > east[0]


def test_boxes_of_a_sensible_size_pass_as_they_are() -> None:
    good = edges((8.0, 47.0, 8.0001, 47.0001), (179.99, -17.0, -179.99, -16.9), (0.0, 89.0, 90.0, 89.5))
    assert np.array_equal(checked_boxes(good, None, HERE), good)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "box",
    [
        (8.0, 47.0, 8.000001, 47.1),
        (8.0, 47.0, 8.1, 47.000001),
        (0.0, 0.0, 9.1, 0.1),
        (0.0, 0.0, 0.1, 9.1),
        (-180.0, -85.0, 180.0, 85.0),
    ],
)
def test_the_longest_and_the_shortest_side_are_bounds(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(BadSource, match=r"row 2 of here has a footprint of .*between 0\.5 and 1,000,000 m"):
        checked_boxes(edges((8.0, 47.0, 8.1, 47.1), box), None, HERE)  # type: ignore[arg-type]
    assert (SHORTEST_M, LONGEST_M) == (0.5, 1_000_000.0)


def test_a_way_round_of_half_the_world_is_the_widest_crossing() -> None:
    with pytest.raises(BadSource, match=r"has west 1\.0 and east -170\.0: .* 189\.00 degrees wide"):
        checked_boxes(edges((1.0, 0.0, -170.0, 0.1)), None, HERE)  # type: ignore[arg-type]
