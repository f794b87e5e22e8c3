"""Every way in which a raster can lie on the Earth: each pixel of each tile shows the ground that belongs there."""

import math
from collections.abc import Callable
from pathlib import Path

import mercantile
import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from pyproj import Geod, Transformer
from rasterio.crs import CRS
from rasterio.enums import Resampling, WktVersion
from rasterio.rpc import RPC
from rasterio.vrt import WarpedVRT

from indexer.common.errors import BadSource, TileWithoutData
from tests.inputs.rasters import (
    control_points,
    expected_of,
    open_raster,
    picture_of,
    read_all,
    write,
    write_painted,
)

ZURICH_UTM = (465_000.0, 5_247_000.0)
FIJI_DEG = (179.985, -17.0)
UTM, FIJI_UTM = "EPSG:32632", "EPSG:32760"
MERCATOR_14_M = 2 * 20037508.342789244 / 2**14 / 256
Writer = Callable[[Path], Path]


def north_up(x: float, y: float, res: float) -> Affine:
    return Affine(res, 0.0, x, 0.0, -res, y)


def utm(turn_deg: float = 0.0, x_scale: float = 10.0, y_scale: float = -10.0) -> Affine:
    return Affine.translation(*ZURICH_UTM) * Affine.rotation(turn_deg) * Affine.scale(x_scale, y_scale)


def aligned(path: Path, **profile: object) -> Path:
    origin = 8580 * 256 * MERCATOR_14_M - 20037508.342789244, 20037508.342789244 - 5738 * 256 * MERCATOR_14_M
    transform = north_up(origin[0] - 64 * MERCATOR_14_M, origin[1] + 32 * MERCATOR_14_M, MERCATOR_14_M)
    return write_painted(path, "EPSG:3857", transform, 400, 380, **profile)


def mosaic_vrt(path: Path) -> Path:
    """A VRT over two files, as gdalbuildvrt writes it."""
    names = [("left.tif", 0), ("right.tif", 150)]
    for name, column in names:
        write_painted(path.with_name(name), UTM, utm() * Affine.translation(column, 0), 150, 260)
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}">'
        + "".join(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>{band}</SourceBand>'
            f'<SrcRect xOff="0" yOff="0" xSize="150" ySize="260"/>'
            f'<DstRect xOff="{column}" yOff="0" xSize="150" ySize="260"/></SimpleSource>'
            for name, column in names
        )
        + "</VRTRasterBand>"
        for band in (1, 2, 3)
    )
    place = ", ".join(str(value) for value in utm().to_gdal())
    path.write_text(
        f'<VRTDataset rasterXSize="300" rasterYSize="260"><SRS>{UTM}</SRS><GeoTransform>{place}</GeoTransform>'
        f"{bands}</VRTDataset>"
    )
    return path


def with_control_points(path: Path) -> Path:
    pixels = picture_of(UTM, utm(20.0), 300, 260)
    points, crs = control_points(UTM, utm(20.0), 300, 260)
    return write(path, pixels, gcps=points, crs=crs)


def with_rpcs(path: Path) -> Path:
    """RPCs that are linear in longitude and latitude: the simplest that are exact."""
    res, lon, lat, width, height = 1e-4, 8.5, 47.4, 300, 260
    transform = north_up(lon, lat, res)
    one, zeros = [1.0] + [0.0] * 19, [0.0] * 20
    east, south = list(zeros), list(zeros)
    east[1], south[2] = 1.0, -1.0
    rpcs = RPC(
        height_off=400.0, height_scale=500.0, lat_off=lat - res * height / 2, lat_scale=res * height / 2,
        long_off=lon + res * width / 2, long_scale=res * width / 2, line_off=height / 2 - 0.5,
        line_scale=height / 2, samp_off=width / 2 - 0.5, samp_scale=width / 2,
        line_num_coeff=south, line_den_coeff=one, samp_num_coeff=east, samp_den_coeff=one,
    )  # fmt: skip
    return write(path, picture_of("EPSG:4326", transform, width, height), rpcs=rpcs)


def with_files_beside(path: Path) -> Path:
    """A plain TIFF, a world file, which counts from the middle of a pixel, and the system as ESRI writes it."""
    transform = utm(30.0)
    Image.fromarray(picture_of(UTM, transform, 300, 260).transpose(1, 2, 0)).save(path)
    x, y = transform * (0.5, 0.5)
    lines = transform.a, transform.d, transform.b, transform.e, x, y
    path.with_suffix(".tfw").write_text("".join(f"{value!r}\n" for value in lines))
    path.with_suffix(".prj").write_text(CRS.from_string(UTM).to_wkt(version=WktVersion.WKT1_ESRI))
    return path


def painter(crs: str, transform: Affine, **profile: object) -> Writer:
    return lambda path: write_painted(path, crs, transform, **profile)


FORMATS: dict[str, tuple[Writer, int]] = {
    "GeoTIFF on the tile grid": (aligned, 14),
    "cloud-optimised, on the grid": (lambda path: aligned(path, driver="COG", compress="deflate"), 14),
    "the same at a zoom less": (lambda path: aligned(path, driver="COG", compress="deflate"), 13),
    "Web Mercator off the grid": (painter("EPSG:3857", north_up(950_007.0, 6_000_003.0, 9.3)), 14),
    "degrees": (painter("EPSG:4326", north_up(8.5, 47.4, 1e-4)), 14),
    "UTM": (painter(UTM, utm()), 14),
    "equal area of Europe": (painter("EPSG:3035", north_up(4_200_000.0, 2_700_000.0, 10.0)), 14),
    "polar stereographic": (painter("EPSG:3413", north_up(500_000.0, -900_000.0, 10.0)), 12),
    "Swiss, another datum": (painter("EPSG:21781", north_up(683_000.0, 248_000.0, 10.0)), 14),
    "turned by 30 degrees": (painter(UTM, utm(30.0)), 14),
    "turned by 45 degrees": (painter(UTM, utm(45.0)), 14),
    "turned by 180 degrees": (painter(UTM, utm(180.0)), 14),
    "rows from the south": (painter(UTM, utm(y_scale=10.0)), 14),
    "mirrored": (painter(UTM, utm(x_scale=-10.0)), 14),
    "pixels twice as wide as high": (painter(UTM, utm(x_scale=14.0, y_scale=-7.0)), 14),
    "VRT of two files": (mosaic_vrt, 14),
    "ground control points": (with_control_points, 14),
    "RPCs": (with_rpcs, 14),
    "a world file and a .prj": (with_files_beside, 14),
    "degrees beyond 180": (painter("EPSG:4326", north_up(*FIJI_DEG, 1e-4)), 14),
    "degrees from 0 to 360": (painter("EPSG:4326", north_up(288.5, 47.4, 1e-4)), 14),
    "UTM across 180 degrees": (painter(FIJI_UTM, north_up(818_000.0, 8_118_000.0, 10.0)), 14),
    "Mercator beyond its edge": (painter("EPSG:3857", north_up(20_036_000.0, -1_920_000.0, 9.0)), 14),
    "Pacific Mercator across 180 degrees": (painter("EPSG:3832", north_up(3_338_000.0, -1_920_000.0, 9.0)), 14),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_pixel_shows_the_ground_that_belongs_there(tmp_path: Path, kind: str) -> None:
    writer, zoom = FORMATS[kind]
    source = open_raster(writer(tmp_path / ("a.vrt" if "VRT" in kind else "a.tif")), zoom=zoom, min_valid=0.05)
    tiles = read_all(source)
    assert tiles
    compared = 0
    for tile, picture in tiles.values():
        there = ~(picture == 128).all(axis=2)
        inner = there & np.roll(there, 2, 0) & np.roll(there, -2, 0) & np.roll(there, 2, 1) & np.roll(there, -2, 1)
        error = np.abs(picture.astype(float) - expected_of(tile))[inner]
        compared += len(error)
        assert np.percentile(error, 99.5) < 6.0  # a tenth of a wave is 60
        assert error.max() < 14.0
    assert compared > 20_000


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in FORMATS
        # rasterio's own warp does not turn longitudes; the other tests compare these with pyproj and mercantile
        if not any(word in kind for word in ("180 d", "beyond", "RPC", "ground", "0 to 360", ".prj"))
    ],
)
def test_tiles_agree_with_rasterios_own_warp(tmp_path: Path, kind: str) -> None:
    writer, zoom = FORMATS[kind]
    path = writer(tmp_path / ("a.vrt" if "VRT" in kind else "a.tif"))
    for tile, picture in read_all(open_raster(path, zoom=zoom, min_valid=0.05)).values():
        box = rasterio.transform.from_bounds(*_mercator(tile), 256, 256)
        how = {"crs": "EPSG:3857", "transform": box, "width": 256, "height": 256, "resampling": Resampling.bilinear}
        with rasterio.open(path) as data, WarpedVRT(data, add_alpha=True, **how) as warped:
            theirs, valid = warped.read([1, 2, 3]).transpose(1, 2, 0), warped.dataset_mask() > 0
        both = valid & ~(picture == 128).all(axis=2)
        assert both.sum() > 0.9 * valid.sum() - 600
        assert np.percentile(np.abs(picture[both].astype(float) - theirs[both]), 99) <= 6


def _mercator(tile: object) -> tuple[float, float, float, float]:
    return tuple(mercantile.xy_bounds(tile.x, tile.y, tile.z))  # type: ignore[attr-defined, return-value]


NATIVE = {
    kind: (FORMATS[kind][0], zoom)
    for kind, zoom in {
        "GeoTIFF on the tile grid": 14, "degrees": 13, "UTM": 13, "turned by 30 degrees": 13,
        "turned by 45 degrees": 13, "turned by 180 degrees": 13, "rows from the south": 13, "mirrored": 13,
        "pixels twice as wide as high": 13, "degrees beyond 180": 14, "degrees from 0 to 360": 13,
        "UTM across 180 degrees": 14, "Mercator beyond its edge": 14, "Pacific Mercator across 180 degrees": 14,
        "ground control points": 13, "RPCs": 13, "polar stereographic": 11,
    }.items()
}  # fmt: skip


@pytest.mark.parametrize("kind", NATIVE)
def test_the_zoom_follows_from_the_size_of_a_pixel_on_the_ground(tmp_path: Path, kind: str) -> None:
    writer, zoom = NATIVE[kind]
    listing = open_raster(writer(tmp_path / "a.tif")).list_tiles()
    assert any(f"zoom {zoom} is indexed" in note for note in listing.notes)
    assert set(listing.table.z) == {zoom}


@pytest.mark.parametrize(
    "kind",
    [
        "degrees beyond 180", "UTM across 180 degrees", "Mercator beyond its edge",
        "Pacific Mercator across 180 degrees",
    ],
)  # fmt: skip
def test_a_raster_across_180_degrees_has_tiles_on_both_sides(tmp_path: Path, kind: str) -> None:
    source = open_raster(FORMATS[kind][0](tmp_path / "a.tif"), zoom=15, min_valid=0.05)
    bounds = source.list_tiles().table.bounds
    assert bounds.crosses_antimeridian
    assert (bounds.east - bounds.west) % 360.0 < 0.2
    x = {tile.x for tile, _ in read_all(source).values()}
    assert {0, 2**15 - 1} <= x


def test_squares_at_a_stride_are_cut_across_180_degrees(tmp_path: Path) -> None:
    path = FORMATS["degrees beyond 180"][0](tmp_path / "a.tif")
    source = open_raster(path, tile_size_m=400.0, tile_px=64, min_valid=0.99)
    tiles = read_all(source)
    crossing = [tile for tile, _ in tiles.values() if tile.bounds.crosses_antimeridian]
    assert crossing
    assert min(tile.lon for tile, _ in tiles.values()) < -179.98
    assert max(tile.lon for tile, _ in tiles.values()) > 179.98
    for tile, picture in tiles.values():
        width = (tile.bounds.east - tile.bounds.west) % 360.0
        steps = (np.arange(64) + 0.5) / 64
        lon = tile.bounds.west + steps * width
        red = 127 + 100 * np.sin(2 * np.pi * lon / 0.006)
        assert np.abs(picture[:, :, 0].astype(float) - red).max() < 16


def test_a_global_raster_from_0_to_360_covers_the_world_once(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 720).astype(np.uint8)
    pixels = np.stack([np.tile(ramp, (360, 1))] * 3)
    path = write(tmp_path / "a.tif", pixels, crs="EPSG:4326", transform=north_up(0.0, 90.0, 0.5))
    tiles = read_all(open_raster(path, zoom=1))
    assert len(tiles) == 4
    west, east = tiles["1/0/0"][1][128, :, 0].astype(float), tiles["1/1/0"][1][128, :, 0].astype(float)
    lon = (np.arange(256) + 0.5) / 256 * 180.0
    assert np.abs(east - lon / 360 * 255).max() < 3
    assert np.abs(west[:-2] - ((lon + 180) / 360 * 255)[:-2]).max() < 3


def test_the_pole_inside_a_raster_opens_it_to_all_longitudes(tmp_path: Path) -> None:
    path = write_painted(tmp_path / "a.tif", "EPSG:3413", north_up(-1_000_000.0, 1_000_000.0, 10_000.0), 200, 200)
    bounds = open_raster(path, zoom=5).list_tiles().table.bounds
    assert (bounds.west, bounds.east) == (-180.0, 180.0)
    assert bounds.north > 85.0


def test_a_block_of_tiles_does_not_depend_on_which_is_read_first(tmp_path: Path) -> None:
    path = FORMATS["UTM"][0](tmp_path / "a.tif")
    table = open_raster(path, zoom=15).list_tiles().table
    forwards, backwards = open_raster(path, zoom=15, min_valid=0.0), open_raster(path, zoom=15, min_valid=0.0)
    tiles = [table.record(row) for row in range(len(table))]
    last = {tile.tile_id: _read(backwards, tile) for tile in reversed(tiles)}
    assert all(np.array_equal(_read(forwards, tile), last[tile.tile_id]) for tile in tiles)


def _read(source: object, tile: object) -> object:
    try:
        return np.asarray(source.read(tile))  # type: ignore[attr-defined]
    except TileWithoutData:
        return np.zeros(1)


def test_a_raster_smaller_than_a_tile_is_indexed_with_a_warning(tmp_path: Path) -> None:
    path = write_painted(tmp_path / "a.tif", FIJI_UTM, north_up(818_900.0, 8_118_000.0, 10.0), 150, 100)
    source = open_raster(path)
    assert any("smaller tiles" in note and note.startswith("warning") for note in source.list_tiles().notes)
    assert read_all(open_raster(path))


def test_degrees_in_a_system_of_metres_are_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tif", np.zeros((3, 9, 9), np.uint8), crs="EPSG:3857", transform=north_up(8.5, 47.4, 1e-5)
    )
    with pytest.raises(BadSource, match=r"a\.tif has pixels of .* contradict"):
        open_raster(path)


def test_eastings_and_northings_of_a_utm_zone_that_are_exchanged_are_refused(tmp_path: Path) -> None:
    pixels = np.zeros((3, 9, 9), np.uint8)
    path = write(tmp_path / "a.tif", pixels, crs="EPSG:32632", transform=north_up(5_247_000.0, 465_000.0, 10.0))
    with pytest.raises(BadSource, match=r"a\.tif has its centre at easting 5,247,045 m.*exchanged"):
        open_raster(path)
    far = write(tmp_path / "b.tif", pixels, crs="EPSG:32632", transform=north_up(2_900_000.0, 1_000_000.0, 10.0))
    open_raster(far).close()  # far out of its zone, as mosaics of a whole country are


def test_a_world_file_alone_names_no_reference_system(tmp_path: Path) -> None:
    path = with_files_beside(tmp_path / "a.tif")
    path.with_suffix(".prj").unlink()
    with pytest.raises(
        BadSource,
        match=r"perhaps of a world file, but no coordinate reference system; georeference it first: put a \.prj",
    ):
        open_raster(path)
    path.with_suffix(".PRJ").write_text("no such thing")
    with pytest.raises(BadSource, match=r"a\.PRJ names no reference system that is known here"):
        open_raster(path)


@pytest.mark.parametrize(
    ("system", "words"), [("EPSG:32633", "pixels elsewhere"), ("junk", "names no reference"), (UTM, "")]
)
def test_a_prj_that_contradicts_the_file_is_a_warning(tmp_path: Path, system: str, words: str) -> None:
    path = write_painted(tmp_path / "a.tif", UTM, utm())
    wkt = system if system == "junk" else CRS.from_string(system).to_wkt(version=WktVersion.WKT1_ESRI)
    path.with_suffix(".prj").write_text(wkt)
    notes = [note for note in open_raster(path).list_tiles().notes if "prj" in note]
    assert len(notes) == bool(words)
    assert all(words in note and "its own, EPSG:32632, is used" in note for note in notes)


def test_metres_in_a_system_of_degrees_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.zeros((3, 9, 9), np.uint8), crs="EPSG:4326", transform=north_up(5e5, 5e6, 1.0))
    with pytest.raises(BadSource, match="outside the Web Mercator map"):
        open_raster(path)


def test_the_resolution_is_that_of_the_projected_map(tmp_path: Path) -> None:
    source = open_raster(FORMATS["turned by 45 degrees"][0](tmp_path / "a.tif"))
    lat = source.list_tiles().table.bounds.centre.lat
    assert source._files[0].mercator_res_m == pytest.approx(10.0 / math.cos(math.radians(lat)), rel=5e-3)


@pytest.mark.parametrize("count", [2, 5])
def test_a_file_in_the_wrong_half_of_its_utm_zone_is_named_with_its_distance(tmp_path: Path, count: int) -> None:
    """GDAL places it near New Zealand's latitude, and nothing in the file itself says that it belongs to Zurich."""
    for number in range(count):
        crs = "EPSG:32732" if number == count - 1 else "EPSG:32632"
        write_painted(tmp_path / f"{number}.tif", crs, utm() * Affine.translation(300 * number, 0))
    source = open_raster(tmp_path)
    listing = source.list_tiles()
    (note,) = [note for note in listing.notes if " km from " in note]
    there, here = (
        Transformer.from_crs(crs, "EPSG:4326").transform(*ZURICH_UTM) for crs in ("EPSG:32732", "EPSG:32632")
    )
    apart_km = Geod(ellps="WGS84").inv(*there[::-1], *here[::-1])[2] / 1000
    said_km = int(note.split(" lies ")[1].split(" km")[0].replace(",", ""))
    assert abs(said_km - apart_km) < 0.006 * apart_km  # a sphere for an ellipsoid, and edges for corners
    assert note.startswith(f"warning: {count - 1}.tif lies ")
    assert "In the northern half of its UTM zone it would lie beside it" in note
    assert len(read_all(source)) > 0  # it is not refused
