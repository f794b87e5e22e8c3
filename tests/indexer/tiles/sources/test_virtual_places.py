"""Two statements of where a file of a virtual raster lies."""

from pathlib import Path

import rasterio

from indexer.tiles.sources.virtual_places import doubts_of_members
from tests.inputs.test_virtual_rasters import member, north_up, virtual


def doubts(path: Path) -> list[str]:
    with rasterio.open(path) as data:
        return doubts_of_members(data, path)


def test_the_distance_is_told_in_pixels(tmp_path: Path) -> None:
    member(tmp_path / "a.tif")
    assert "a.tif 40 pixels away" in doubts(virtual(tmp_path / "all.vrt", transform=north_up(40.0)))[0]
    assert doubts(virtual(tmp_path / "all.vrt", transform=north_up(1.0))) == []


def test_what_is_no_virtual_raster_or_cannot_be_opened_tells_nothing(tmp_path: Path) -> None:
    path = member(tmp_path / "a.tif")
    assert doubts(path) == []
    virtual(tmp_path / "all.vrt", transform=north_up(40.0))
    path.write_bytes(b"no raster")
    assert doubts(tmp_path / "all.vrt") == []
