import mercantile
import pytest

from model.common.geo import LatLon, great_circle_m
from model.synthetic.plane import ORIGIN, latlon_of, plane_of, tile_bounds, tile_window_m


@pytest.mark.parametrize("point", [(0.0, 0.0), (1500.0, -800.0), (-20_000.0, 20_000.0)])
def test_plane_and_coordinates_are_inverse(point):
    assert plane_of(latlon_of(*point)) == pytest.approx(point, abs=1e-6)


def test_plane_metres_are_ground_metres_near_the_origin():
    assert great_circle_m(ORIGIN, latlon_of(300.0, 400.0)) == pytest.approx(500.0, rel=0.004)


def test_a_tiles_window_has_its_corners_at_the_tiles_bounds():
    tile = mercantile.tile(ORIGIN.lon, ORIGIN.lat, 18)
    left, bottom, right, top = tile_window_m(tile.z, tile.x, tile.y)
    bounds = tile_bounds(tile.z, tile.x, tile.y)
    assert great_circle_m(latlon_of(left, top), LatLon(bounds.north, bounds.west)) < 1e-3
    assert right - left == pytest.approx(top - bottom)
    assert right - left == pytest.approx(100.5, abs=0.2)
