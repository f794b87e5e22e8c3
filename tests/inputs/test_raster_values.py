"""Every way in which a raster's values can mean something else than colours of 8 bits."""

from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from indexer.common.errors import BadSource
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from model.common.errors import BadImage
from tests.inputs.rasters import open_raster, read_all, write

ZOOM = 16
PIXEL_M = 2 * 20037508.342789244 / 2**ZOOM / 256
LEFT = mercantile.tile(9.0, 47.0, ZOOM)
RGBA = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]


def aligned(path: Path, pixels: NDArray[Any], *, column: int = 0, **profile: Any) -> Path:
    """A raster whose pixels are those of zoom 16, its corner that of a tile."""
    corner = mercantile.xy_bounds(LEFT)
    transform = Affine(PIXEL_M, 0.0, corner.left + column * PIXEL_M, 0.0, -PIXEL_M, corner.top)
    return write(path, pixels, crs="EPSG:3857", transform=transform, **profile)


def off_grid(path: Path, pixels: NDArray[Any], **profile: Any) -> Path:
    """About the same ground in degrees, so that it must be warped."""
    box = mercantile.bounds(LEFT)
    transform = Affine((box.east - box.west) / 256, 0.0, box.west, 0.0, -(box.north - box.south) / 256, box.north)
    return write(path, pixels, crs="EPSG:4326", transform=transform, **profile)


WRITERS = pytest.mark.parametrize("put", [aligned, off_grid], ids=["read in place", "warped"])


def only(path: Path, **options: Any) -> NDArray[np.uint8]:
    """The first tile."""
    tiles = read_all(open_raster(path, zoom=ZOOM, **options))
    return tiles[f"{ZOOM}/{LEFT.x}/{LEFT.y}"][1]


def flat(*levels: float, dtype: Any = np.uint8, width: int = 256, height: int = 256) -> NDArray[Any]:
    return np.stack([np.full((height, width), level, dtype) for level in levels])


def warnings_of(path: Path, **options: Any) -> str:
    return " ".join(note for note in open_raster(path, zoom=ZOOM, **options).list_tiles().notes if "warning" in note)


@WRITERS
@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_no_data_without_being_said_so(tmp_path: Path, put: Any, hole: float) -> None:
    pixels = np.random.default_rng(0).uniform(10, 20, (3, 256, 256)).astype(np.float32)
    pixels[:, :, 130:] = hole
    picture = only(put(tmp_path / "a.tif", pixels))
    assert (picture[:, 134:] == 128).all()
    assert not (picture[:, :126] == 128).all(axis=2).any()
    assert not read_all(open_raster(tmp_path / "a.tif", zoom=ZOOM, min_valid=0.6))


@WRITERS
def test_nan_beside_another_value_for_no_data(tmp_path: Path, put: Any) -> None:
    pixels = np.random.default_rng(0).uniform(10, 20, (1, 256, 256)).astype(np.float32)
    pixels[:, :, 100:140], pixels[:, :, 200:] = -9999, np.nan
    picture = only(put(tmp_path / "a.tif", pixels, nodata=-9999))
    assert (picture[:, 104:136] == 128).all()
    assert (picture[:, 204:] == 128).all()
    assert picture[:, :96].max() == 255


def test_one_mosaic_has_one_scale(tmp_path: Path) -> None:
    ground = np.random.default_rng(1).integers(300, 500, (3, 256, 256)).astype(np.uint16)
    bright = ground.copy()
    bright[:, :, 128:] = 40_000
    (tmp_path / "mosaic").mkdir()
    aligned(tmp_path / "mosaic" / "a.tif", ground)
    aligned(tmp_path / "mosaic" / "b.tif", bright, column=256)
    tiles = read_all(open_raster(tmp_path / "mosaic", zoom=ZOOM))
    left, right = (tiles[f"{ZOOM}/{LEFT.x + step}/{LEFT.y}"][1] for step in range(2))
    assert np.array_equal(left[:, :128], right[:, :128])


def test_the_scale_is_that_of_all_files_whatever_their_sizes(tmp_path: Path) -> None:
    (tmp_path / "mosaic").mkdir()
    large = np.random.default_rng(1).integers(0, 4096, (1, 1024, 1024)).astype(np.uint16)
    aligned(tmp_path / "mosaic" / "a.tif", large)
    aligned(tmp_path / "mosaic" / "b.tif", flat(60_000, dtype=np.uint16, width=32, height=32), column=1024)
    picture = read_all(open_raster(tmp_path / "mosaic", zoom=ZOOM))[f"{ZOOM}/{LEFT.x}/{LEFT.y}"][1]
    assert picture.min() == 0
    assert picture.max() == 255  # a small bright file beside a large dark one does not take its contrast


def test_files_of_different_types_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / "mosaic").mkdir()
    aligned(tmp_path / "mosaic" / "a.tif", flat(10, 20, 30))
    aligned(tmp_path / "mosaic" / "b.tif", flat(1000, 2000, 3000, dtype=np.uint16), column=256)
    assert "values of 2 types (uint16, uint8)" in warnings_of(tmp_path / "mosaic")


@WRITERS
@pytest.mark.parametrize(("value", "word"), [(0, "black"), (255, "white")])
def test_a_collar_is_a_warning_and_an_option_removes_it(tmp_path: Path, put: Any, value: int, word: str) -> None:
    (tmp_path / "mosaic").mkdir()
    collared = flat(200, 100, 50)
    collared[:, :, 128:] = value
    collared[0, 40, 10] = value  # one channel alone is a colour
    put(tmp_path / "mosaic" / "a.tif", collared)
    put(tmp_path / "mosaic" / "b.tif", flat(10, 220, 10))
    said = warnings_of(tmp_path / "mosaic")
    assert f"a.tif: about 50% of it is exactly {word} ({value})" in said
    assert f"--nodata {value}" in said
    assert tuple(only(tmp_path / "mosaic")[128, 215]) == (value, value, value)
    picture = only(tmp_path / "mosaic", nodata=float(value))
    assert tuple(picture[128, 215]) == (10, 220, 10)
    assert tuple(picture[128, 40]) == (200, 100, 50)
    assert picture[40, 10, 1] in range(95, 106)
    assert warnings_of(tmp_path / "mosaic", nodata=float(value)) == ""


def test_a_picture_without_a_collar_is_no_warning(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (3, 256, 256)).astype(np.uint8)
    assert warnings_of(aligned(tmp_path / "a.tif", pixels)) == ""


@WRITERS
@pytest.mark.parametrize(("dtype", "value"), [(np.float32, -9999), (np.int16, -32768), (np.uint16, 65535)])
def test_a_collar_of_an_extreme_value_is_a_warning_too(tmp_path: Path, put: Any, dtype: Any, value: int) -> None:
    pixels = np.random.default_rng(0).uniform(100, 900, (3, 256, 256)).astype(dtype)
    pixels[:, :, 128:] = value
    path = put(tmp_path / "a.tif", pixels)
    assert f"is exactly its {'greatest' if value > 0 else 'least value'} ({value})" in warnings_of(path)
    assert warnings_of(path, nodata=float(value)) == ""
    picture = only(path, nodata=float(value))
    assert (picture[:, 134:] == 128).all()
    assert abs(float(picture[:, :120].mean()) - 127) < 8


@WRITERS
def test_the_extreme_of_floating_point_is_no_data_without_being_said_so(tmp_path: Path, put: Any) -> None:
    pixels = np.random.default_rng(0).uniform(10, 20, (3, 256, 256)).astype(np.float32)
    pixels[:, :, 130:] = np.finfo(np.float32).min
    picture = only(put(tmp_path / "a.tif", pixels))
    assert (picture[:, 134:] == 128).all()
    assert abs(float(picture[:, :120].mean()) - 127) < 8


@WRITERS
def test_a_value_for_no_data_in_one_band_alone_does_not_set_the_scale(tmp_path: Path, put: Any) -> None:
    pixels = np.random.default_rng(0).integers(100, 900, (3, 256, 256)).astype(np.int16)
    pixels[0, :64] = -32768
    picture = only(put(tmp_path / "a.tif", pixels, nodata=-32768))
    assert abs(float(picture[80:].mean()) - 127) < 8


@WRITERS
def test_a_grey_picture_whose_zero_is_white_is_turned(tmp_path: Path, put: Any) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, None], 256, axis=1)
    black, white = (
        only(put(tmp_path / f"{kind}.tif", ramp, photometric=kind)) for kind in ("MINISBLACK", "MINISWHITE")
    )
    assert np.abs(black.astype(int) + white.astype(int) - 255)[:, 4:-4].max() <= 1


@WRITERS
@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_deep_grey_whose_zero_is_white_is_turned(tmp_path: Path, put: Any, dtype: Any) -> None:
    ramp = np.repeat(np.linspace(100, 3000, 256).astype(dtype)[None, None], 256, axis=1)
    black, white = (
        only(put(tmp_path / f"{kind}.tif", ramp, photometric=kind)) for kind in ("MINISBLACK", "MINISWHITE")
    )
    assert np.abs(black.astype(int) + white.astype(int) - 255)[:, 4:-4].max() <= 1
    assert white[128, 20, 0] > 200 > 50 > white[128, 235, 0]


def test_a_mosaic_of_both_has_one_scale(tmp_path: Path) -> None:
    """The same ground, once stored as light and once as ink: equal where the files meet."""
    ramp = np.repeat(np.linspace(0, 65535, 256).astype(np.uint16)[None, None], 256, axis=1)
    folder = tmp_path / "mosaic"
    folder.mkdir()
    aligned(folder / "a.tif", ramp, photometric="MINISBLACK")
    aligned(folder / "b.tif", 65535 - ramp, column=256, photometric="MINISWHITE")
    tiles = read_all(open_raster(folder, zoom=ZOOM))
    first, second = (tiles[f"{ZOOM}/{LEFT.x + column}/{LEFT.y}"][1].astype(int) for column in (0, 1))
    assert np.abs(first - second).max() <= 1


@pytest.mark.parametrize("nodata", [300.0, -1.0, 0.5])
def test_a_value_for_no_data_that_cannot_occur_is_refused(tmp_path: Path, nodata: float) -> None:
    aligned(tmp_path / "a.tif", flat(1, 2, 3))
    with pytest.raises(BadSource, match=r"nodata is .* no value of .*a\.tif can be: they are uint8"):
        open_raster(tmp_path / "a.tif", nodata=nodata)


def test_nan_is_no_data_without_being_told(tmp_path: Path) -> None:
    aligned(tmp_path / "a.tif", flat(1, 2, 3))
    with pytest.raises(BadSource, match="nodata is nan; give a number"):
        open_raster(tmp_path / "a.tif", nodata=float("nan"))


def test_the_option_survives_in_the_index(tmp_path: Path) -> None:
    source = open_raster(aligned(tmp_path / "a.tif", flat(1, 2, 3)), nodata=0.0, skip_bad=True)
    options = SourceOptions.from_json(source.describe())
    assert (options.nodata, options.skip_bad) == (0.0, True)


def palette_vrt(path: Path, entries: list[tuple[int, int, int, int]], index: NDArray[np.uint16]) -> Path:
    """A paletted band of 16 bits, which GeoTIFF can hold and rasterio cannot write."""
    values = aligned(path.with_name("values.tif"), index[None])
    colours = "".join(f'<Entry c1="{r}" c2="{g}" c3="{b}" c4="{a}"/>' for r, g, b, a in entries)
    corner = mercantile.xy_bounds(LEFT)
    path.write_text(
        f'<VRTDataset rasterXSize="{index.shape[1]}" rasterYSize="{index.shape[0]}"><SRS>EPSG:3857</SRS>'
        f"<GeoTransform>{corner.left}, {PIXEL_M}, 0, {corner.top}, 0, {-PIXEL_M}</GeoTransform>"
        f'<VRTRasterBand dataType="UInt16" band="1"><ColorInterp>Palette</ColorInterp><ColorTable>{colours}'
        f'</ColorTable><SimpleSource><SourceFilename relativeToVRT="1">{values.name}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    return path


def test_a_palette_of_16_bits_is_looked_up_whole(tmp_path: Path) -> None:
    entries = [(0, 0, 0, 255)] * 301
    entries[300], entries[44], entries[7] = (10, 200, 30, 255), (255, 0, 0, 255), (1, 2, 3, 0)
    index = np.full((256, 256), 300, np.uint16)
    index[:, 100:150], index[:, 150:200], index[:, 200:] = 44, 7, 4000
    picture = only(palette_vrt(tmp_path / "a.vrt", entries, index))
    assert tuple(picture[9, 9]) == (10, 200, 30)
    assert tuple(picture[9, 120]) == (255, 0, 0)
    assert (picture[:, 151:] == 128).all()  # an entry without opacity, and an index without an entry


@WRITERS
def test_an_entry_of_a_palette_that_is_transparent_is_no_data(tmp_path: Path, put: Any) -> None:
    entries = {3: (10, 200, 30, 255), 4: (90, 90, 90, 0)}
    index = flat(3)
    index[:, :, 130:] = 4
    path = tmp_path / "a.vrt"
    written = put(tmp_path / "values.tif", index, colormap=entries)
    from rasterio.shutil import copy

    copy(written, path, driver="VRT")
    path.write_text(path.read_text().replace('c1="90" c2="90" c3="90" c4="255"', 'c1="90" c2="90" c3="90" c4="0"'))
    picture = only(path)
    assert tuple(picture[50, 50]) == (10, 200, 30)
    assert (picture[:, 134:] == 128).all()


@WRITERS
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_infrared_that_is_marked_alpha_is_left_alone_when_bands_are_named(tmp_path: Path, put: Any, dtype: Any) -> None:
    top = np.iinfo(dtype).max
    pixels = flat(40, 60, 90, 0, dtype=dtype)
    if dtype is np.uint16:
        pixels[:3, :, :20] = 200  # or nothing could be scaled
    pixels[3, :, :128] = top // 3
    path = put(tmp_path / "a.tif", pixels, colorinterp=RGBA)
    assert (only(path, min_valid=0.3)[:, 132:] == 128).all()
    said = warnings_of(path, min_valid=0.3)
    assert "band 4 is marked alpha but 50% of its values lie between" in said
    assert "--bands 1,2,3" in said
    water = only(path, bands=(1, 2, 3))[128, 215]
    assert tuple(water) == (40, 60, 90) if dtype is np.uint8 else not (water == 128).all()


def test_a_fourth_band_that_is_named_says_where_there_is_data(tmp_path: Path) -> None:
    pixels = flat(40, 60, 90, 255)
    pixels[3, :, 128:] = 0
    path = aligned(tmp_path / "a.tif", pixels, photometric="RGB", alpha="NO")
    assert tuple(only(path)[128, 215]) == (40, 60, 90)
    assert (only(path, bands=(3, 2, 1, 4))[:, 128:] == 128).all()
    assert tuple(only(path, bands=(3, 2, 1, 4))[128, 40]) == (90, 60, 40)


def test_a_true_alpha_band_is_believed_without_a_warning(tmp_path: Path) -> None:
    pixels = flat(40, 60, 90, 65_535, dtype=np.uint16)
    pixels[:3, :, :40] = 900
    pixels[3, :, 200:] = 0
    path = aligned(tmp_path / "a.tif", pixels, colorinterp=RGBA)
    assert (only(path)[:, 200:] == 128).all()
    assert warnings_of(path) == ""


def test_bands_that_are_called_by_their_colours_are_drawn_by_them(tmp_path: Path) -> None:
    """As multispectral cameras and satellites give them: blue first, nothing marked."""
    path = aligned(tmp_path / "a.tif", flat(10, 20, 30, 40, 50, dtype=np.uint16), photometric="MINISBLACK")
    with rasterio.open(path, "r+") as data:
        data.descriptions = ("Blue", "Green", "Red", "Red edge", "NIR")
    picture = only(path)
    assert picture[128, 40, 0] > picture[128, 40, 1] > picture[128, 40, 2]
    assert "does not say" not in warnings_of(path)


def test_bands_of_which_nothing_is_known_are_a_warning(tmp_path: Path) -> None:
    path = aligned(tmp_path / "a.tif", flat(10, 20, 30, 40, dtype=np.uint16), photometric="MINISBLACK")
    assert "a.tif: it has 4 bands and does not say which are red, green and blue" in warnings_of(path)
    assert "does not say" not in warnings_of(path, bands=(3, 2, 1))


def test_a_second_picture_in_a_file_is_a_warning(tmp_path: Path) -> None:
    path = aligned(tmp_path / "a.tif", flat(10, 20, 30))
    assert "pictures" not in warnings_of(path)
    aligned(path, flat(90, 90, 90), append_subdataset="YES")
    assert "a.tif: it holds 2 pictures one behind the other, and the first alone is read" in warnings_of(path)
    assert tuple(only(path)[128, 40]) == (10, 20, 30)


def test_rasters_that_are_left_or_hidden_are_named(tmp_path: Path) -> None:
    mosaic = tmp_path / "mosaic"
    (mosaic / "below").mkdir(parents=True)
    aligned(mosaic / "a_2009.tif", flat(10, 20, 30))
    aligned(mosaic / "below" / "c.tif", flat(10, 20, 30))
    assert "1 raster in folders below, such as below/c.tif, is not read" in warnings_of(mosaic)
    aligned(mosaic / "b_2018.tif", flat(40, 50, 60))
    notes = " ".join(open_raster(mosaic, zoom=ZOOM).list_tiles().notes)
    assert "a_2009.tif lies over 100% of b_2018.tif" in notes
    assert tuple(only(mosaic)[128, 40]) == (10, 20, 30)
    assert "below" not in warnings_of(mosaic / "a_2009.tif")
    (tmp_path / "only" / "below").mkdir(parents=True)
    aligned(tmp_path / "only" / "below" / "c.tif", flat(10, 20, 30))
    with pytest.raises(BadSource, match=r"1 raster or archive in folders below, such as below/c\.tif"):
        open_source(tmp_path / "only").list_tiles()


@pytest.mark.parametrize("bits", [10, 11, 12, 14])
def test_sensor_values_in_16_bits_are_stretched(tmp_path: Path, bits: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 2**bits, (1, 256, 256)).astype(np.uint16)
    picture = only(aligned(tmp_path / "a.tif", pixels))
    assert (picture.min(), picture.max()) == (0, 255)


def test_values_of_fewer_than_8_bits_are_stretched(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 2, (1, 256, 256)).astype(np.uint8)
    assert set(np.unique(only(aligned(tmp_path / "a.tif", pixels, nbits=1)))) == {0, 255}


def test_printing_colours_are_turned_into_light(tmp_path: Path) -> None:
    path = aligned(tmp_path / "a.tif", flat(200, 20, 30, 0), photometric="CMYK")
    assert tuple(only(path)[9, 9]) == (55, 235, 225)
    deep = aligned(tmp_path / "b.tif", flat(200, 20, 30, 0, dtype=np.uint16), photometric="CMYK")
    with pytest.raises(BadSource, match=r"b\.tif has colours in CMYK; turn it into RGB"):
        open_raster(deep)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"complex numbers \(complex64\)"):
        open_raster(aligned(tmp_path / "a.tif", flat(1, dtype=np.complex64)))


LOCAL = 'LOCAL_CS["site",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
MOON = (
    'GEOGCS["Moon",DATUM["D_Moon",SPHEROID["Moon",1737400,0]],PRIMEM["Reference",0],UNIT["Degree",0.0174532925199433]]'
)
MARS = (
    'PROJCS["Mars",GEOGCS["Mars",DATUM["D_Mars",SPHEROID["Mars",3396190,169.8]],PRIMEM["Reference",0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Equirectangular"],PARAMETER["standard_parallel_1",0],UNIT["Meter",1]]'
)


@pytest.mark.parametrize(
    ("system", "words"),
    [
        (LOCAL, r"local reference system \(engineering\)"),
        (MOON, r"another body \(radius 1,737 km"),
        (MARS, r"another body \(radius 3,396 km"),
        ("EPSG:4978", r"local reference system \(geodetic\)"),
    ],
    ids=["local", "moon", "mars", "geocentric"],
)
def test_a_system_without_a_place_on_earth_is_refused_in_one_line(tmp_path: Path, system: str, words: str) -> None:
    crs = CRS.from_wkt(system) if "[" in system else CRS.from_string(system)
    path = write(tmp_path / "a.tif", flat(1, 2, 3), crs=crs, transform=Affine(1, 0, 100, 0, -1, 100))
    with pytest.raises(BadSource, match=rf"a\.tif has .*{words}") as caught:
        open_raster(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_all_bad_files_are_named_at_once_and_can_be_left_out(tmp_path: Path) -> None:
    good = aligned(tmp_path / "good.tif", flat(9, 8, 7))
    (tmp_path / "broken.tif").write_bytes(b"II*\0nonsense")
    (tmp_path / "empty.tif").write_bytes(b"")
    write(tmp_path / "local.tif", flat(1, 2, 3), crs=CRS.from_wkt(LOCAL), transform=Affine(1, 0, 1, 0, -1, 1))
    with pytest.raises(BadSource, match=r"3 of the 4 rasters .* cannot be used") as caught:
        open_raster(tmp_path)
    said = str(caught.value)
    assert all(name in said for name in ("broken.tif", "empty.tif", "local.tif", "--skip-bad"))
    assert "good.tif" not in said
    assert "3 of the 4 rasters cannot be used and are left out" in warnings_of(tmp_path, skip_bad=True)
    assert tuple(only(tmp_path, skip_bad=True)[9, 9]) == (9, 8, 7)
    good.unlink()
    with pytest.raises(BadSource, match="3 of the 3 rasters"):
        open_raster(tmp_path, skip_bad=True)


def failure(source: Any, row: int) -> str | None:
    try:
        source.read(source.list_tiles().table.record(row))
    except BadImage as error:
        return str(error)
    return None


def test_a_file_that_breaks_off_takes_only_its_own_tiles_down_and_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(1, 255, (3, 256, 1024), dtype=np.uint8)
    (tmp_path / "mosaic").mkdir()
    aligned(tmp_path / "mosaic" / "a.tif", noise)
    path = aligned(tmp_path / "mosaic" / "b.tif", noise, column=1024, tiled=True, blockxsize=256, blockysize=256)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = open_raster(tmp_path / "mosaic", zoom=ZOOM)
    table = source.list_tiles().table
    failed = {int(table.x[row]) - LEFT.x: reason for row in range(len(table)) if (reason := failure(source, row))}
    assert failed
    assert all("b.tif cannot be read here" in reason for reason in failed.values())
    assert min(failed) >= 5
    assert len(failed) < 4
