"""A box of the map drawn from a raster: exact where the grids agree, within a pixel where it is warped."""

import mercantile
import numpy as np
import pytest
import rasterio
from affine import Affine

from indexer.tiles.grid import MERCATOR_HALF_M
from indexer.tiles.sources.bands import inspect_raster
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.windows import MapBox, boxes_of, draw, place_of
from model.common.geo import Bounds
from tests.inputs.rasters import painted, write, write_painted

SIDE = 64
TILE = mercantile.tile(8.55, 47.36, 14)
BOUNDS = mercantile.xy_bounds(TILE)
BOX = MapBox(BOUNDS.left, BOUNDS.top, BOUNDS.right - BOUNDS.left, BOUNDS.top - BOUNDS.bottom, SIDE, SIDE)


def drawn(path, box=BOX):
    file, _ = inspect_raster(path.parent, path.name, SourceOptions())
    with rasterio.open(path) as data:
        return draw(data, file, box)


def test_a_box_has_the_places_of_its_tile():
    lon, lat = place_of(BOX, np.array([0.0, 1.0]))
    tile = mercantile.bounds(TILE)
    assert np.allclose(lon, [tile.west, tile.east, tile.west, tile.east], atol=1e-9)
    assert np.allclose(lat, [tile.north, tile.north, tile.south, tile.south], atol=1e-9)


def test_a_footprint_is_one_box_and_two_over_the_antimeridian():
    tile = mercantile.bounds(TILE)
    ((columns, box),) = boxes_of(Bounds(tile.west, tile.south, tile.east, tile.north), SIDE)
    assert (columns, box.width_px, box.height_px) == (slice(0, SIDE), SIDE, SIDE)
    assert (box.west_m, box.north_m, box.width_m) == pytest.approx((BOX.west_m, BOX.north_m, BOX.width_m))
    (left, before), (right, behind) = boxes_of(Bounds(179.0, 0.0, -177.0, 4.0), SIDE)
    assert (left, right) == (slice(0, 16), slice(16, 64))
    assert before.west_m + before.width_m == pytest.approx(MERCATOR_HALF_M)
    assert behind.west_m == pytest.approx(-MERCATOR_HALF_M)
    assert (before.width_px, behind.width_px) == (16, 48)


def test_where_the_grids_agree_pixels_are_the_files_own(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 2 * SIDE, SIDE), dtype=np.uint8)
    grid = Affine(BOX.width_m / SIDE, 0.0, BOX.west_m, 0.0, -BOX.height_m / SIDE, BOX.north_m + BOX.height_m / 2)
    picture, valid = drawn(write(tmp_path / "a.tif", pixels, crs="EPSG:3857", transform=grid))
    assert np.array_equal(picture.transpose(2, 0, 1), pixels[:, SIDE // 2 : SIDE // 2 + SIDE])
    assert valid.all()


def test_what_the_file_does_not_reach_is_not_valid(tmp_path):
    pixels = np.full((3, SIDE, SIDE // 2), 200, np.uint8)
    grid = Affine(BOX.width_m / SIDE, 0.0, BOX.west_m, 0.0, -BOX.height_m / SIDE, BOX.north_m)
    picture, valid = drawn(write(tmp_path / "a.tif", pixels, crs="EPSG:3857", transform=grid))
    assert (valid[:, : SIDE // 2].all(), valid[:, SIDE // 2 :].any()) == (True, False)
    assert (picture[valid] == 200).all()


def test_a_raster_of_another_system_is_warped_to_its_place(tmp_path):
    grid = Affine(10.0, 0.0, 465_000.0, 0.0, -10.0, 5_248_000.0)
    picture, valid = drawn(write_painted(tmp_path / "a.tif", "EPSG:32632", grid, 700, 700))
    assert valid.all()
    lon, lat = place_of(BOX, (np.arange(SIDE) + 0.5) / SIDE)
    wanted = painted(lon, lat).reshape(3, SIDE, SIDE).transpose(1, 2, 0)
    assert np.abs(picture.astype(float) - wanted).mean() < 8.0  # a displacement by one of its pixels makes twice that
