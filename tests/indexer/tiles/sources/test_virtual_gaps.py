from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.shutil import copy
from rasterio.vrt import WarpedVRT

from indexer.tiles.sources.virtual_gaps import doubts_of_gaps
from tests.inputs.rasters import write

SIDE = 300


def virtual(path: Path, *boxes: tuple[float, float, float, float], extra: str = "") -> Path:
    """A virtual raster of SIDE x SIDE pixels that puts one file into some boxes (column, row, width, height)."""
    if not (path.parent / "a.tif").exists():
        place = {"crs": "EPSG:32632", "transform": Affine(1.0, 0.0, 465_000.0, 0.0, -1.0, 5_247_000.0)}
        write(path.parent / "a.tif", np.full((1, SIDE, SIDE), 90, np.uint8), **place)
    sources = "".join(
        '<SimpleSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename><SourceBand>1</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
        f'<DstRect xOff="{x}" yOff="{y}" xSize="{width}" ySize="{height}"/></SimpleSource>'
        for x, y, width, height in boxes
    )
    path.write_text(
        f'<VRTDataset rasterXSize="{SIDE}" rasterYSize="{SIDE}"><SRS>EPSG:32632</SRS>'
        "<GeoTransform>465000, 1, 0, 5247000, 0, -1</GeoTransform>"
        f'<VRTRasterBand dataType="Byte" band="1">{extra}{sources}</VRTRasterBand></VRTDataset>'
    )
    return path


def doubts(path: Path) -> list[str]:
    with rasterio.open(path) as data:
        return doubts_of_gaps(data, path)


LEFT, RIGHT = (0.0, 0.0, 150.0, 300.0), (150.0, 0.0, 150.0, 300.0)


@pytest.mark.parametrize(
    ("boxes", "share"),
    [
        ([LEFT, (150, 0, 150, 290)], "0.014"),  # 8.5 rows of half of it, a pixel and a half left to rounding
        ([LEFT, (150, 0, 150, 280), (290, 285, 10, 15)], "0.0284"),
        ([LEFT], "0.495"),
        ([], "1"),
    ],
)
def test_ground_that_no_file_covers_is_a_warning_whatever_its_share(
    tmp_path: Path, boxes: list[tuple[float, float, float, float]], share: str
) -> None:
    (doubt,) = doubts(virtual(tmp_path / "all.vrt", *boxes))
    assert f"none of its files covers {share} of it" in doubt
    assert "drawn black" in doubt


@pytest.mark.parametrize(
    "boxes",
    [[LEFT, RIGHT], [LEFT, (150.4, 0, 149.6, 300)], [LEFT, (100, 0, 200, 300)]],
    ids=["beside", "rounded", "over"],
)
def test_files_that_cover_it_are_none(tmp_path: Path, boxes: list[tuple[float, float, float, float]]) -> None:
    assert doubts(virtual(tmp_path / "all.vrt", *boxes)) == []


def test_a_gap_that_is_said_to_be_no_data_is_none(tmp_path: Path) -> None:
    assert doubts(virtual(tmp_path / "all.vrt", LEFT, extra="<NoDataValue>0</NoDataValue>")) == []


def test_other_rasters_and_sources_that_fill_the_whole_are_none(tmp_path: Path) -> None:
    path = virtual(tmp_path / "all.vrt", LEFT)
    assert doubts(tmp_path / "a.tif") == []
    text = path.read_text()
    start, stop = text.index("<SrcRect"), text.index("</SimpleSource>")
    path.write_text(text[:start] + text[stop:])
    assert doubts(path) == []


def test_a_virtual_raster_whose_pixels_come_from_a_warp_is_none(tmp_path: Path) -> None:
    virtual(tmp_path / "all.vrt", LEFT)
    with rasterio.open(tmp_path / "a.tif") as data, WarpedVRT(data, crs="EPSG:3857") as warped:
        copy(warped, tmp_path / "warped.vrt", driver="VRT")
    assert "subClass" in (tmp_path / "warped.vrt").read_text()
    assert doubts(tmp_path / "warped.vrt") == []
