"""Rasters whose numbers do not mean what they seem to: units, values that cannot occur, parts that are not there."""

from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from tests.inputs.rasters import open_raster, write

ZOOM = 16
FIRST = mercantile.Tile(34_322, 22_949, ZOOM)
SECOND = mercantile.Tile(34_323, 22_949, ZOOM)


def place(tile: mercantile.Tile) -> dict[str, Any]:
    box = mercantile.xy_bounds(tile)
    return {"crs": "EPSG:3857", "transform": rasterio.transform.from_bounds(*box, 256, 256)}


def measured(path: Path, tile: mercantile.Tile, reflectance: NDArray[Any], scale: float, offset: float) -> Path:
    """A tile of reflectances as whole numbers, `scale * number + offset`, which the file says."""
    numbers = np.round((reflectance - offset) / scale).astype(np.uint16)
    write(path, np.repeat(numbers[None], 3, axis=0), **place(tile))
    with rasterio.open(path, "r+") as data:
        data.scales, data.offsets = [scale] * 3, [offset] * 3
    return path


def read(path: Path, **options: Any) -> tuple[dict[str, NDArray[np.uint8]], str]:
    source = open_raster(path, zoom=ZOOM, **options)
    listing = source.list_tiles()
    table = listing.table
    pictures = {table.tile_id[row]: np.asarray(source.read(table.record(row))) for row in range(len(table))}
    source.close()
    return pictures, " ".join(listing.notes)


RAMP = np.repeat(np.linspace(0.02, 0.4, 256)[None], 256, axis=0)


@pytest.mark.parametrize(
    "units", [[(1e-4, 0.0), (1e-4, -0.1)], [(1e-4, 0.0), (2e-4, 0.0)], [(1.0, 0.0), (1.0, -1000.0)]]
)
def test_the_same_ground_in_two_units_is_the_same_picture(tmp_path: Path, units: list[tuple[float, float]]) -> None:
    """As Sentinel-2's scenes before and after processing baseline 04.00: the offset of 1000 stands in the file."""
    ramp = RAMP if units[0][0] < 1 else RAMP * 10_000
    for name, tile, (scale, offset) in zip("ab", (FIRST, SECOND), units, strict=True):
        measured(tmp_path / f"{name}.tif", tile, ramp, scale, offset)
    pictures, notes = read(tmp_path)
    one, other = (pictures[f"{ZOOM}/{tile.x}/{tile.y}"].astype(int) for tile in (FIRST, SECOND))
    assert np.ptp(one) > 250
    assert np.abs(one - other).max() <= 1
    assert "warning" not in notes


def test_a_scale_in_some_files_alone_is_a_warning(tmp_path: Path) -> None:
    measured(tmp_path / "a.tif", FIRST, RAMP, 1e-4, 0.0)
    measured(tmp_path / "b.tif", SECOND, RAMP * 10_000, 1.0, 0.0)
    pictures, notes = read(tmp_path)
    assert "some rasters give a scale for their values and others none" in notes
    one, other = pictures.values()
    assert np.abs(one.astype(int) - other).max() <= 1  # as before, by the numbers themselves


def test_bands_of_units_of_their_own_are_a_warning(tmp_path: Path) -> None:
    path = measured(tmp_path / "a.tif", FIRST, RAMP, 1e-4, 0.0)
    with rasterio.open(path, "r+") as data:
        data.scales = [1e-4, 1e-4, 2e-4]
    assert "its bands have scales or offsets of their own" in read(path)[1]


@pytest.mark.parametrize("said", ["0.5", "0.25"])
def test_a_value_for_no_data_between_whole_numbers_means_nothing(tmp_path: Path, said: str) -> None:
    """Cut to a whole number it would be 0, and all that is black without data."""
    pixels = np.full((3, 256, 256), 200, np.uint8)
    pixels[:, :, 128:] = 0
    path = write(tmp_path / "a.tif", pixels, **place(FIRST))
    value = f"<NoDataValue>{said}</NoDataValue>"
    bands = "".join(f'<PAMRasterBand band="{band}">{value}</PAMRasterBand>' for band in (1, 2, 3))
    (tmp_path / "a.tif.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")
    with rasterio.open(path) as data:
        assert data.nodata == float(said)
    pictures, notes = read(path)
    (picture,) = pictures.values()
    assert tuple(picture[50, 200]) == (0, 0, 0)
    assert "exactly black (0) and no tag says" in notes


def virtual(path: Path, *names: str) -> Path:
    """A virtual raster of one band, its halves from some files."""
    box = mercantile.xy_bounds(FIRST)
    pixel_m = (box.right - box.left) / 256
    sources = "".join(
        f'<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="128" ySize="256"/>'
        f'<DstRect xOff="{128 * number}" yOff="0" xSize="128" ySize="256"/></SimpleSource>'
        for number, name in enumerate(names)
    )
    path.write_text(
        '<VRTDataset rasterXSize="256" rasterYSize="256"><SRS>EPSG:3857</SRS>'
        f"<GeoTransform>{box.left!r}, {pixel_m!r}, 0, {box.top!r}, 0, {-pixel_m!r}</GeoTransform>"
        f'<VRTRasterBand dataType="Byte" band="1">{sources}</VRTRasterBand>'
        "</VRTDataset>"
    )
    return path


def test_a_virtual_raster_with_a_part_that_is_not_there_is_refused_and_named(tmp_path: Path) -> None:
    """GDAL draws it black without an error, and black is ground like any other."""
    pixels = np.full((1, 256, 256), 90, np.uint8)
    pixels[:, :, :20] = 140
    write(tmp_path / "a.tif", pixels, **place(FIRST))
    path = virtual(tmp_path / "all.vrt", "a.tif", "gone.tif")
    with pytest.raises(BadSource, match=r"all\.vrt is made of gone\.tif, which is not there"):
        read(path)
    (tmp_path / "gone.tif").hardlink_to(tmp_path / "a.tif")
    (picture,) = read(path)[0].values()
    assert picture[0, 10, 0] == picture[0, 138, 0] == 140


def test_overviews_of_another_raster_are_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.full((3, 256, 256), 200, np.uint8), **place(FIRST))
    other = write(tmp_path / "old", np.full((3, 256, 256), 20, np.uint8), **place(FIRST))
    with rasterio.Env(TIFF_USE_OVR="YES"), rasterio.open(other, "r+") as data:
        data.build_overviews([2], rasterio.enums.Resampling.average)
    Path(f"{other}.ovr").replace(f"{path}.ovr")
    assert "a.tif.ovr shows something else than the raster itself" in read(path)[1]


@pytest.mark.parametrize(
    ("pixels", "bands", "said"), [(256, 1, "is grey and others are"), (16, 3, "has pixels 16 times")]
)
def test_a_file_of_another_kind_in_a_mosaic_is_a_warning(tmp_path: Path, pixels: int, bands: int, said: str) -> None:
    """An overview of the whole, or pictures of the time before colour, beside what is meant."""
    ramp = np.linspace(30, 220, 256).astype(np.uint8)
    write(tmp_path / "a.tif", np.tile(ramp, (3, 256, 1)), **place(FIRST))
    assert "warning" not in read(tmp_path / "a.tif")[1]
    box = mercantile.xy_bounds(SECOND)
    transform = rasterio.transform.from_bounds(*box, pixels, pixels)
    ramp = np.linspace(30, 220, pixels).astype(np.uint8)
    write(tmp_path / "b.tif", np.tile(ramp, (bands, pixels, 1)), crs="EPSG:3857", transform=transform)
    notes = read(tmp_path)[1]
    assert f"warning: b.tif {said}" in notes
