"""Rasters with quirks that other programs stumbled over, and their right places and colours."""

from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from indexer.common.errors import BadSource
from model.inputs.transforms import NEUTRAL
from tests.inputs.rasters import control_points, open_raster, read_all, write
from tests.inputs.test_raster_values import RGBA, WRITERS, aligned, flat, only

HOLE = np.s_[80:160, 40:200]
GREY = np.full(3, NEUTRAL)
RIM = 3
"""Pixels beside an edge that a warp may blend."""


def inside(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return picture[80 + RIM : 160 - RIM, 40 + RIM : 200 - RIM]


def around(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return picture[160 + RIM : 256 - RIM, RIM : 256 - RIM]


def test_a_global_raster_that_reaches_a_little_beyond_180_and_to_the_poles_covers_the_world_once(
    tmp_path: Path,
) -> None:
    lon, lat = np.meshgrid(np.linspace(-180, 180, 1200), np.linspace(90, -90, 600))
    pixels = np.stack([(lon + 180) / 360 * 255, (lat + 90) / 180 * 255, np.full(lon.shape, 99)]).astype(np.uint8)
    transform = Affine(360.0025 / 1200, 0, -180.00125, 0, -180 / 600, 90)
    tiles = read_all(open_raster(write(tmp_path / "a.tif", pixels, crs="EPSG:4326", transform=transform), zoom=1))
    assert sorted(tiles) == ["1/0/0", "1/0/1", "1/1/0", "1/1/1"]
    for tile, picture in tiles.values():
        lat = mercantile.ul(2 * (tile.x or 0) + 1, 2 * (tile.y or 0) + 1, 2).lat  # in the middle of the picture
        assert picture[128, 128].tolist() == pytest.approx(
            [(tile.lon + 180) / 360 * 255, (lat + 90) / 180 * 255, 99], abs=1.5
        )


@pytest.mark.parametrize("top", [90.0, 90.00001])
def test_a_raster_that_reaches_the_pole_ends_where_the_map_does(tmp_path: Path, top: float) -> None:
    transform = Affine(0.05, 0, 10, 0, -0.05, top)
    path = write(tmp_path / "a.tif", flat(9, 99, 199, width=200, height=200), crs="EPSG:4326", transform=transform)
    bounds = open_raster(path, zoom=8).list_tiles().table.bounds
    assert (bounds.north, bounds.west) == (pytest.approx(85.0511287798066), pytest.approx(9.84375))
    assert 78.0 < bounds.south <= 80.0


def test_control_points_without_a_reference_system_are_refused(tmp_path: Path) -> None:
    transform = Affine(10, 0, 465_000, 0, -10, 5_250_000)
    points, _ = control_points("EPSG:32632", transform, 256, 256)
    write(tmp_path / "a.tif", flat(1, 2, 3), gcps=points, crs="EPSG:32632")
    gcps = "".join(
        f'<GCP Id="{row}" Pixel="{one.col}" Line="{one.row}" X="{one.x}" Y="{one.y}"/>'
        for row, one in enumerate(points)
    )
    band = (
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename>'
    )
    (tmp_path / "b.vrt").write_text(
        f'<VRTDataset rasterXSize="256" rasterYSize="256"><GCPList>{gcps}</GCPList>{band}'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(BadSource, match=r"b\.vrt has 9 ground control points without a reference system.*georeference"):
        open_raster(tmp_path / "b.vrt")


@WRITERS
def test_nan_that_a_tag_says_is_no_data(tmp_path: Path, put: Any) -> None:
    pixels = flat(20, 120, 220, dtype=np.float32)
    pixels[0, :20] = 250.0  # so that there is a range of values
    pixels[2, 200:] = 0.0
    pixels[:, *HOLE] = np.nan
    picture = only(put(tmp_path / "a.tif", pixels, nodata=float("nan")))
    assert (inside(picture) == GREY).all()
    assert not (around(picture) == GREY).all(axis=2).any()


@pytest.mark.parametrize("overviews", [False, True])
def test_the_mask_of_a_virtual_raster_is_kept_at_every_zoom(tmp_path: Path, overviews: bool) -> None:
    mask = np.full((1024, 1024), 255, np.uint8)
    mask[256:512, 256:768] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = aligned(tmp_path / "a.tif", flat(10, 120, 220, width=1024, height=1024), mask=mask, tiled=True)
    with rasterio.open(path, "r+") as data:
        geotransform = ",".join(map(str, data.transform.to_gdal()))
        if overviews:
            data.build_overviews([2, 4])
    source = (
        '<SimpleSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename>'
        "<SourceBand>{}</SourceBand></SimpleSource>"
    )
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}"><ColorInterp>{colour}</ColorInterp>{source.format(band)}'
        "</VRTRasterBand>"
        for band, colour in ((1, "Red"), (2, "Green"), (3, "Blue"))
    )
    (tmp_path / "b.vrt").write_text(
        f'<VRTDataset rasterXSize="1024" rasterYSize="1024"><SRS>EPSG:3857</SRS><GeoTransform>{geotransform}'
        f'</GeoTransform>{bands}<MaskBand><VRTRasterBand dataType="Byte">{source.format("mask,1")}</VRTRasterBand>'
        "</MaskBand></VRTDataset>"
    )
    for zoom, share in ((16, 1.0), (15, 0.5), (14, 0.25)):
        tiles = read_all(open_raster(tmp_path / "b.vrt", zoom=zoom, min_valid=0.0))
        shown = np.concatenate([picture.reshape(-1, 3) for _, picture in tiles.values()])
        drawn, hidden = (np.abs(shown.astype(int) - level).max(axis=1) <= 1 for level in ([10, 120, 220], GREY))
        assert (drawn | hidden).mean() > 0.98
        assert drawn.sum() == pytest.approx((1024 * share) ** 2 * (1 - 256 * 512 / 1024**2), rel=0.03)


@WRITERS
def test_the_index_of_a_palette_that_means_no_data(tmp_path: Path, put: Any) -> None:
    index = np.full((1, 256, 256), 2, np.uint8)
    index[:, *HOLE] = 7
    entries = {2: (200, 30, 40, 255), 7: (1, 2, 3, 255)}
    picture = only(put(tmp_path / "a.tif", index, nodata=7, colormap=entries, photometric="palette"))
    assert (inside(picture) == GREY).all()
    assert (around(picture) == [200, 30, 40]).all()


def test_the_second_file_shows_where_the_first_is_said_to_have_none_and_nowhere_else(tmp_path: Path) -> None:
    first = flat(90, 100, 110)
    first[:, 80:160] = np.array([0, 1, 0])[:, None, None]  # noise of a lossy compression: not what the tag says
    first[:, 170:250] = 0
    aligned(tmp_path / "a.tif", first, nodata=0)
    aligned(tmp_path / "b.tif", flat(200, 10, 20))
    picture = only(tmp_path)
    assert (picture[:78] == [90, 100, 110]).all()
    assert (picture[82:158] == [0, 1, 0]).all()
    assert (picture[172:248] == [200, 10, 20]).all()


@WRITERS
def test_alpha_of_16_bits_says_where_there_is_data(tmp_path: Path, put: Any) -> None:
    pixels = np.concatenate([flat(20_000, 40_000, 60_000, dtype=np.uint16), flat(65_535, dtype=np.uint16)])
    pixels[:3, :20] = 0
    pixels[:, *HOLE] = 0
    path = put(tmp_path / "a.tif", pixels, photometric="RGB", alpha="YES")
    with rasterio.open(path) as data:
        assert list(data.colorinterp) == RGBA
        assert data.colorinterp[3] == ColorInterp.alpha
    picture = only(path)
    assert (inside(picture) == GREY).all()
    assert not (around(picture) == GREY).all(axis=2).any()
