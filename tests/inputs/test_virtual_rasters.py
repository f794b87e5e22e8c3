"""Virtual rasters that put their files elsewhere than these say, places beyond a system's area, unknown datums."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.control import GroundControlPoint

from indexer.common.errors import BadSource
from tests.inputs.rasters import open_raster, write

UTM = "EPSG:32632"
WEST, NORTH = 465_000.0, 5_247_000.0
SIDE = 200


def north_up(east_m: float = 0.0, pixel_m: float = 1.0) -> Affine:
    return Affine(pixel_m, 0.0, WEST + east_m, 0.0, -pixel_m, NORTH)


def member(path: Path, transform: Affine | None = None, crs: str | None = UTM, side: int = SIDE) -> Path:
    pixels = np.random.default_rng(1).integers(60, 200, (3, side, side), dtype=np.uint8)
    place = {} if crs is None else {"crs": crs, "transform": transform or north_up()}
    return write(path, pixels, **place)


def virtual(path: Path, crs: str = UTM, transform: Affine | None = None, put: float = SIDE) -> Path:
    """One file whole, put at the corner."""
    east, across, _, north, _, down = (getattr(transform or north_up(), name) for name in "cabfde")
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}"><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">a.tif</SourceFilename><SourceBand>{band}</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="{SIDE}" ySize="{SIDE}"/><DstRect xOff="0" yOff="0" xSize="{put}" '
        f'ySize="{put}"/></SimpleSource></VRTRasterBand>'
        for band in (1, 2, 3)
    )
    path.write_text(
        f'<VRTDataset rasterXSize="{put:.0f}" rasterYSize="{put:.0f}"><SRS>{crs}</SRS>'
        f"<GeoTransform>{east}, {across}, 0, {north}, 0, {down}</GeoTransform>{bands}</VRTDataset>"
    )
    return path


def notes_of(path: Path) -> str:
    source = open_raster(path, min_valid=0.05)
    notes = " ".join(source.list_tiles().notes)
    source.close()
    return notes


@pytest.mark.parametrize(
    ("crs", "transform"),
    [("EPSG:32633", north_up()), (UTM, north_up(5_000.0)), (UTM, north_up(3.0)), ("EPSG:32732", north_up())],
    ids=["another zone", "5 km", "3 pixels", "the other half"],
)
def test_a_file_that_lies_elsewhere_than_a_virtual_raster_puts_it_is_a_warning(
    tmp_path: Path, crs: str, transform: Affine
) -> None:
    member(tmp_path / "a.tif")
    assert "it puts a.tif" in notes_of(virtual(tmp_path / "all.vrt", crs, transform))


@pytest.mark.parametrize("put", [SIDE / 2, SIDE, 3 * SIDE])
def test_a_virtual_raster_of_another_pixel_that_agrees_with_its_files_is_none(tmp_path: Path, put: float) -> None:
    member(tmp_path / "a.tif")
    path = virtual(tmp_path / "all.vrt", transform=north_up(0.4, SIDE / put), put=put)
    assert "warning: all.vrt" not in notes_of(path)


def test_a_file_that_says_no_place_gets_it_of_the_virtual_raster(tmp_path: Path) -> None:
    with pytest.warns(Warning, match="no geotransform"):
        member(tmp_path / "a.tif", crs=None)
    assert "it puts" not in notes_of(virtual(tmp_path / "all.vrt"))


def test_a_file_of_another_size_than_the_virtual_raster_was_made_of_is_refused(tmp_path: Path) -> None:
    member(tmp_path / "a.tif", side=SIDE // 2)
    with pytest.raises(BadSource, match=r"all\.vrt takes pixels up to 200, 200 of a\.tif, which has 100 x 100"):
        notes_of(virtual(tmp_path / "all.vrt"))


@pytest.mark.parametrize(
    ("crs", "east", "north"),
    [
        ("EPSG:2056", 680_000.0, 247_000.0),  # coordinates of the system before, LV03
        ("EPSG:5514", 740_000.0, 1_040_000.0),  # Krovak without its signs
        ("EPSG:2263", 298_704.0, 60_960.0),  # metres in a system of feet
        (UTM, 465.0, 5_247.0),  # kilometres
    ],
)
def test_a_place_beyond_the_area_of_its_reference_system_is_a_warning(
    tmp_path: Path, crs: str, east: float, north: float
) -> None:
    path = member(tmp_path / "a.tif", Affine(1.0, 0.0, east, 0.0, -1.0, north), crs)
    assert f"beyond the area that {crs} is made for" in notes_of(path)


@pytest.mark.parametrize(
    ("crs", "east", "north"),
    [
        ("EPSG:2056", 2_680_000.0, 1_247_000.0),
        (UTM, WEST, NORTH),
        (UTM, 250_000.0, -3_000_000.0),  # southwards of the equator in a northern zone, as Landsat's scenes
        (UTM, 790_000.0, NORTH),  # a little east of the zone
        ("EPSG:3857", 0.0, 6_000_000.0),
        ("EPSG:32760", 818_000.0, 8_118_000.0),  # at 180 degrees
    ],
)
def test_a_place_within_it_or_a_little_beside_is_none(tmp_path: Path, crs: str, east: float, north: float) -> None:
    path = member(tmp_path / "a.tif", Affine(1.0, 0.0, east, 0.0, -1.0, north), crs)
    assert "beyond the area" not in notes_of(path)


ON_BESSEL = "+proj=tmerc +lat_0=0 +lon_0=9 +k=1 +x_0=3500000 +y_0=0 +ellps=bessel +units=m"


@pytest.mark.parametrize(
    ("crs", "warned"),
    [
        (ON_BESSEL, True),
        ("+proj=utm +zone=32 +ellps=intl +units=m", True),
        (f"{ON_BESSEL} +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7", False),
        ("+proj=utm +zone=32 +ellps=GRS80 +units=m", False),
        ("+proj=sinu +R=6371007.181 +units=m", False),
        ("EPSG:31467", False),
        (UTM, False),
    ],
)
def test_a_system_tied_to_the_earth_by_no_known_datum_is_a_warning(tmp_path: Path, crs: str, warned: bool) -> None:
    east = 3_500_000.0 if crs in ("EPSG:31467",) or ON_BESSEL in crs else 500_000.0
    path = member(tmp_path / "a.tif", Affine(1.0, 0.0, east, 0.0, -1.0, NORTH), crs)
    assert ("its datum is unknown" in notes_of(path)) == warned


def test_a_small_gap_between_the_files_of_a_virtual_raster_is_a_warning(tmp_path: Path) -> None:
    member(tmp_path / "a.tif")
    path = virtual(tmp_path / "all.vrt")
    assert "covers" not in notes_of(path)
    whole, less = (f'yOff="{top}" xSize="200" ySize="{200 - top}"/></SimpleSource>' for top in (0, 3))
    path.write_text(path.read_text().replace(whole, less))
    assert "warning: all.vrt: none of its files covers 0.0075 of it" in notes_of(path)


@pytest.mark.parametrize(("east", "right"), [(180.03, True), (-179.97, False)])
def test_ground_control_points_that_jump_over_180_degrees_are_refused(tmp_path: Path, east: float, right: bool) -> None:
    """GDAL would stretch the picture around the world."""
    corners = [(0, 0, 179.97, -17.0), (0, 200, east, -17.0), (200, 0, 179.97, -17.06), (200, 200, east, -17.06)]
    points = [GroundControlPoint(*corner) for corner in corners]
    path = write(tmp_path / "a.tif", np.full((3, SIDE, SIDE), 99, np.uint8), gcps=points, crs="EPSG:4326")
    if right:
        assert "zoom 1" in notes_of(path)
    else:
        with pytest.raises(BadSource, match=r"ground control points from longitude -179\.97 to 179\.97"):
            notes_of(path)
