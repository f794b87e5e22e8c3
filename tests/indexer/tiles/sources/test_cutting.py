import mercantile
import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.bands import RasterFile
from indexer.tiles.sources.colours import Colours
from indexer.tiles.sources.cutting import grid_cover, native_zoom, stride_cover
from indexer.tiles.sources.georeference import Georeference
from indexer.tiles.sources.source import SourceOptions
from model.common.geo import Bounds


def raster(west: float, south: float, east: float, north: float, name: str = "a.tif") -> RasterFile:
    bounds = Bounds(west, south, east, north)
    return RasterFile(name, bounds, 1.0, Georeference(crs=None), (1, 1), Colours((1, 2, 3)))


@pytest.mark.parametrize(("res", "tile_px", "zoom"), [(0.5971642834779395, 256, 18), (0.6, 512, 17), (5.0, 256, 15)])
def test_the_native_zoom_is_the_closest(res: float, tile_px: int, zoom: int) -> None:
    assert native_zoom(res, tile_px) == zoom


def test_the_cover_is_that_of_mercantile() -> None:
    box = (8.01, 47.02, 8.09, 47.06)
    expected = {f"{t.z}/{t.x}/{t.y}" for t in mercantile.tiles(*box, zooms=15)}
    assert set(grid_cover([raster(*box)], 15, None).tile_id) == expected


def test_a_raster_that_fills_a_tile_does_not_reach_into_its_neighbours() -> None:
    assert grid_cover([raster(*mercantile.bounds(17_000, 11_000, 15))], 15, None).tile_id.tolist() == ["15/17000/11000"]


def test_a_raster_across_the_antimeridian_is_covered_on_both_sides() -> None:
    x = grid_cover([raster(179.9, 0.0, -179.9, 0.1)], 10, None).x
    assert set(x.tolist()) == {0, 1023}


def test_files_that_share_tiles_give_each_once() -> None:
    table = grid_cover([raster(8.0, 47.0, 8.1, 47.1), raster(8.05, 47.0, 8.2, 47.1, "b.tif")], 13, None)
    assert len(set(table.tile_id)) == len(table)
    assert set(table.source) == {"a.tif", "b.tif"}


def test_a_world_of_tiles_is_refused_unless_a_box_limits_it() -> None:
    world = raster(-180.0, -85.0, 180.0, 85.0)
    with pytest.raises(BadSource, match="lower --zoom or a --bbox"):
        grid_cover([world], 18, None)
    assert len(grid_cover([world], 18, Bounds(8.0, 47.0, 8.01, 47.01))) < 200


def test_a_stride_leaves_no_gap_and_keeps_its_length_on_the_ground() -> None:
    table = stride_cover([raster(8.0, 60.0, 8.1, 60.05)], SourceOptions(tile_size_m=200.0, stride_m=100.0))
    rows = np.unique(table.north)
    assert np.allclose(np.diff(rows) * 111_195.08, 100.0, atol=1e-2)
    top = table.north == rows[-1]
    steps_m = np.diff(np.sort(table.west[top])) * 111_195.08 * np.cos(np.radians(table.lat[top][0]))
    assert np.allclose(steps_m, 100.0, atol=1e-2)
    assert table.south.min() <= 60.0
    assert table.east[top].max() >= 8.1
