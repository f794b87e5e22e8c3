import numpy as np

from indexer.tiles.grid import MERCATOR_HALF_M
from indexer.tiles.sources.bands import RasterFile, inspect_raster
from indexer.tiles.sources.filling import least_share
from indexer.tiles.sources.source import SourceOptions
from tests.indexer.tiles.sources.rasters import write_raster

ZOOM = 14
TILE_M = 2 * MERCATOR_HALF_M / (1 << ZOOM)


def raster_of(folder, tiles_wide: float) -> RasterFile:
    """A square raster, as wide as so many tiles."""
    write_raster(folder / "a.tif", np.full((3, 64, 64), 90, np.uint8), res=tiles_wide * TILE_M / 64)
    return inspect_raster(folder, "a.tif", SourceOptions())[0]


def test_a_raster_of_many_tiles_is_held_to_what_is_wanted(tmp_path):
    assert least_share([raster_of(tmp_path, 8.0)], ZOOM, 0.5) == 0.5


def test_one_that_fills_a_tile_is_too(tmp_path):
    assert least_share([raster_of(tmp_path, 3.0)], ZOOM, 0.5) == 0.5


def test_one_smaller_than_a_tile_asks_for_half_of_what_it_can_fill(tmp_path):
    least = least_share([raster_of(tmp_path, 0.5)], ZOOM, 0.5)
    assert 0.0 < least <= 0.15  # its area is a quarter of a tile, which an edge may cut
