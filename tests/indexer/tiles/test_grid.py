import mercantile
import numpy as np
import pyproj
import pytest

from indexer.tiles.grid import MAX_ZOOM, curve_keys_of_points, curve_keys_of_tiles, mercator_m, tile_bounds

MILLIMETRE_DEG = 1e-3 / 111_320


@pytest.mark.parametrize("zoom", [0, 1, 8, 15, 20, 29])
def test_bounds_agree_with_mercantile_to_a_millimetre(zoom: int) -> None:
    x, y = np.random.default_rng(zoom).integers(0, 1 << zoom, (2, 20))
    west, south, east, north = tile_bounds(zoom, x, y)
    expected = np.array([mercantile.bounds(int(a), int(b), zoom) for a, b in zip(x, y, strict=True)])
    assert np.abs(np.stack([west, south, east, north], axis=1) - expected).max() < MILLIMETRE_DEG


def test_projection_agrees_with_proj_to_a_millimetre() -> None:
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-85, 85, 100), rng.uniform(-180, 180, 100)
    expected = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    assert np.abs(np.stack(mercator_m(lat, lon)) - np.stack(expected)).max() < 1e-3


@pytest.mark.parametrize("zoom", [0, 12, 18, MAX_ZOOM])
def test_a_tile_and_its_centre_lie_in_the_same_stretch_of_the_curve(zoom: int) -> None:
    x, y = np.random.default_rng(1).integers(0, 1 << zoom, (2, 50))
    west, south, east, north = tile_bounds(zoom, x, y)
    inside_lat, inside_lon = south + (north - south) * 0.4, west + (east - west) * 0.4
    stretch = 2 * (30 - zoom)
    keys = curve_keys_of_points(inside_lat, inside_lon) >> stretch
    assert np.array_equal(keys, curve_keys_of_tiles(zoom, x, y) >> stretch)


def test_the_poles_have_a_place_on_the_curve() -> None:
    assert (curve_keys_of_points([90.0, -90.0, 0.0], [0.0, 180.0, -180.0]) >= 0).all()
