"""How full a tile must be: as wanted, and less only where a raster is too small to fill one."""

import mercantile
import numpy as np
import pytest
from affine import Affine

from indexer.tiles.sources.bands import inspect_raster
from indexer.tiles.sources.filling import least_share
from indexer.tiles.sources.source import SourceOptions
from tests.inputs.rasters import write

ZOOM = 14
TILE = mercantile.tile(8.55, 47.36, ZOOM)
BOUNDS = mercantile.xy_bounds(TILE)
SIDE_M = BOUNDS.right - BOUNDS.left


def file_of(tmp_path, share, west=0.25, north=0.25):
    """A raster that covers a share of a tile's side both ways, that far from the tile's corner."""
    side_px = 64
    step = share * SIDE_M / side_px
    grid = Affine(step, 0.0, BOUNDS.left + west * SIDE_M, 0.0, -step, BOUNDS.top - north * SIDE_M)
    path = write(tmp_path / "a.tif", np.full((1, side_px, side_px), 7, np.uint8), crs="EPSG:3857", transform=grid)
    return inspect_raster(path.parent, path.name, SourceOptions())[0]


def test_a_raster_that_fills_a_tile_keeps_what_is_wanted(tmp_path):
    assert least_share([file_of(tmp_path, 3.0, -1.0, -1.0)], ZOOM, 0.5) == 0.5


def test_a_raster_smaller_than_a_tile_asks_for_half_of_what_it_can_fill(tmp_path):
    assert least_share([file_of(tmp_path, 0.5)], ZOOM, 0.5) == pytest.approx(0.25 / 2, abs=0.02)


def test_the_fullest_tile_counts_where_it_lies_across_several(tmp_path):
    file = file_of(tmp_path, 0.5, west=0.75, north=0.25)  # half of it in each of two tiles
    assert least_share([file], ZOOM, 0.5) == pytest.approx(0.125 / 2, abs=0.02)


def test_a_little_is_enough_where_little_is_wanted(tmp_path):
    assert least_share([file_of(tmp_path, 0.5)], ZOOM, 0.1) == 0.1


def test_at_a_zoom_of_many_tiles_what_is_wanted_stands(tmp_path):
    assert least_share([file_of(tmp_path, 0.5)], ZOOM + 5, 0.5) == 0.5
