from pathlib import Path

import mercantile
import numpy as np
import pytest
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from indexer.common.errors import BadSource, TileWithoutData
from indexer.tiles.sources.raster import RasterSource
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.tile_table import TileRecord
from model.common.errors import BadImage
from model.common.geo import Bounds
from tests.indexer.tiles.sources.rasters import write_raster

ZOOM = 16
PIXEL_M = 2 * 20037508.342789244 / 2**ZOOM / 256


def aligned(path: Path, pixels: NDArray[np.uint8], **profile: object) -> Path:
    """A raster whose pixels are those of zoom 16, its corner the corner of a tile."""
    bounds = mercantile.xy_bounds(mercantile.tile(9.0, 47.0, ZOOM))
    corner = from_origin(bounds.left, bounds.top, PIXEL_M, PIXEL_M)
    return write_raster(path, pixels, transform=corner, **profile)


def noise(bands: int = 3, width: int = 512, height: int = 256) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(1, 255, (bands, height, width), dtype=np.uint8)


def read_all(source: RasterSource) -> list[tuple[TileRecord, NDArray[np.uint8] | None]]:
    table = source.list_tiles().table
    pictures: list[tuple[TileRecord, NDArray[np.uint8] | None]] = []
    for tile in map(table.record, range(len(table))):
        try:
            pictures.append((tile, np.asarray(source.read(tile))))
        except TileWithoutData:
            pictures.append((tile, None))
    source.close()
    return pictures


def test_tiles_of_an_aligned_raster_are_its_pixels(tmp_path: Path) -> None:
    pixels = noise()
    source = RasterSource(aligned(tmp_path / "a.tif", pixels), SourceOptions())
    assert f"zoom {ZOOM} is indexed" in source.list_tiles().notes[0]
    pictures = read_all(source)
    left = mercantile.tile(9.0, 47.0, ZOOM)
    assert [tile.tile_id for tile, _ in pictures] == [f"16/{left.x + step}/{left.y}" for step in range(2)]
    for step, (_, picture) in enumerate(pictures):
        assert picture is not None
        assert np.array_equal(picture, pixels[:, :, 256 * step : 256 * (step + 1)].transpose(1, 2, 0))


def test_tiles_mostly_without_data_are_skipped(tmp_path: Path) -> None:
    pixels = noise()
    pixels[:, :, 200:] = 0
    pictures = read_all(RasterSource(aligned(tmp_path / "a.tif", pixels, nodata=0), SourceOptions()))
    assert [picture is None for _, picture in pictures] == [False, True]
    strict = RasterSource(tmp_path / "a.tif", SourceOptions(min_valid=0.9))
    assert [picture for _, picture in read_all(strict)] == [None, None]


@pytest.mark.parametrize("how", ["nodata", "alpha", "mask"])
def test_what_has_no_data_is_drawn_grey(tmp_path: Path, how: str) -> None:
    pixels, hidden = noise(), np.s_[:, :, 20:60]
    profile: dict[str, object] = {}
    if how == "nodata":
        pixels[hidden], profile = 0, {"nodata": 0}
    elif how == "alpha":
        alpha = np.full_like(pixels[:1], 255)
        alpha[hidden] = 0
        colours = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
        pixels, profile = np.concatenate([pixels, alpha]), {"colorinterp": colours}
    else:
        mask = np.full(pixels.shape[1:], 255, np.uint8)
        mask[hidden[1:]] = 0
        profile = {"mask": mask}
    (_, picture), _ = read_all(RasterSource(aligned(tmp_path / "a.tif", pixels, **profile), SourceOptions()))
    assert picture is not None
    assert (picture[:, 22:58] == 128).all()
    assert np.array_equal(picture[:, :18], pixels[:3, :, :18].transpose(1, 2, 0))


def test_several_files_are_one_mosaic(tmp_path: Path) -> None:
    first, second = noise(), noise()[::-1]
    first[:, :, 100:] = 0
    second = np.ascontiguousarray(second)
    aligned(tmp_path / "a.tif", first, nodata=0)
    aligned(tmp_path / "b.tif", second, nodata=0)
    (tile, picture), (_, beside) = read_all(RasterSource(tmp_path, SourceOptions()))
    assert tile.source == "a.tif"
    assert picture is not None
    assert beside is not None
    assert np.array_equal(picture[:, :98], first[:, :, :98].transpose(1, 2, 0))
    assert np.array_equal(picture[:, 102:], second[:, :, 102:256].transpose(1, 2, 0))
    assert np.array_equal(beside, second[:, :, 256:].transpose(1, 2, 0))


def test_a_stride_cuts_overlapping_squares_of_metres(tmp_path: Path) -> None:
    write_raster(tmp_path / "a.tif", noise(width=600, height=600), res=1.0)
    source = RasterSource(tmp_path / "a.tif", SourceOptions(tile_size_m=100.0, stride_m=50.0, tile_px=64))
    pictures = read_all(source)
    tiles = [tile for tile, _ in pictures]
    assert all(picture.shape == (64, 64, 3) for _, picture in pictures if picture is not None)
    skipped = [tile for tile, picture in pictures if picture is None]
    corner = min(tile.lat for tile in tiles), max(tile.lon for tile in tiles)
    assert [(tile.lat, tile.lon) for tile in skipped] == [pytest.approx(corner, abs=1e-6)]
    assert all(tile.z is None for tile in tiles)
    assert len({tile.tile_id for tile in tiles}) == len(tiles)
    ground_m = 600 * np.cos(np.radians(tiles[0].lat))
    across = np.ceil((ground_m - 100) / 50) + 1
    assert len(tiles) == across**2


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32632"])
def test_any_reference_system_shows_the_same_ground(tmp_path: Path, crs: str) -> None:
    origin = {"EPSG:4326": (9.0, 47.0, 1e-5), "EPSG:32632": (500_000.0, 5_205_000.0, 1.0)}[crs]
    ramp = np.linspace(0, 250, 800).astype(np.uint8)
    pixels = np.stack([np.tile(ramp, (800, 1)), np.tile(ramp[:, None], (1, 800)), np.full((800, 800), 90, np.uint8)])
    write_raster(tmp_path / "a.tif", pixels, crs=crs, transform=from_origin(*origin[:2], origin[2], origin[2]))
    pictures = [picture for _, picture in read_all(RasterSource(tmp_path / "a.tif", SourceOptions(zoom=17)))]
    whole = [picture for picture in pictures if picture is not None and not (picture == 128).all(axis=2).any()]
    assert whole
    for picture in whole:
        assert (np.diff(picture[:, :, 0].mean(axis=0)) > -0.6).all()  # redder eastwards
        assert (np.diff(picture[:, :, 1].mean(axis=1)) > -0.6).all()  # greener southwards


def test_sixteen_bits_and_more_bands_are_scaled_and_chosen(tmp_path: Path) -> None:
    deep = noise(5).astype(np.uint16) * 8 + 100
    source = RasterSource(aligned(tmp_path / "a.tif", deep), SourceOptions())
    (_, picture), _ = read_all(source)
    assert picture is not None
    assert picture.min() == 0
    assert picture.max() == 255
    expected = deep[:3, :, :256].transpose(1, 2, 0).astype(float)
    assert np.corrcoef(picture.ravel(), expected.ravel())[0, 1] > 0.99


def test_other_bands_can_be_asked_for(tmp_path: Path) -> None:
    pixels = noise(4)
    (_, picture), _ = read_all(RasterSource(aligned(tmp_path / "a.tif", pixels), SourceOptions(bands=(4, 1, 2))))
    assert picture is not None
    assert np.array_equal(picture, pixels[[3, 0, 1], :, :256].transpose(1, 2, 0))
    with pytest.raises(BadSource, match="bands 1 to 4"):
        RasterSource(tmp_path / "a.tif", SourceOptions(bands=(5,)))


def test_one_band_is_grey(tmp_path: Path) -> None:
    pixels = noise(1)
    (_, picture), _ = read_all(RasterSource(aligned(tmp_path / "a.tif", pixels), SourceOptions()))
    assert picture is not None
    assert np.array_equal(picture, np.repeat(pixels[0, :, :256, None], 3, axis=2))


def test_a_raster_without_a_place_is_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", crs=None)
    with pytest.raises(BadSource, match="georeference"):
        RasterSource(path, SourceOptions())


def test_a_damaged_raster_is_refused_or_its_tiles_fail(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0nonsense")
    with pytest.raises(BadSource, match="cannot be opened"):
        RasterSource(tmp_path / "a.tif", SourceOptions())
    path = aligned(tmp_path / "b.tif", noise())
    path.write_bytes(path.read_bytes()[:300_000])
    source = RasterSource(path, SourceOptions())
    table = source.list_tiles().table
    with pytest.raises(BadImage, match="is it complete"):
        source.read(table.record(1))
    source.close()


def test_a_box_limits_what_is_cut(tmp_path: Path) -> None:
    source = RasterSource(aligned(tmp_path / "a.tif", noise()), SourceOptions())
    right = source.list_tiles().table.record(1)
    inner = right.bounds.centre
    box = Bounds(inner.lon, inner.lat, inner.lon, inner.lat)
    only = RasterSource(tmp_path / "a.tif", SourceOptions(bbox=box)).list_tiles().table
    assert only.tile_id.tolist() == [right.tile_id]
    with pytest.raises(BadSource, match="no tile in the box"):
        RasterSource(tmp_path / "a.tif", SourceOptions(bbox=Bounds(0.0, 0.0, 1.0, 1.0))).list_tiles()


def test_the_windows_corners_lie_where_the_table_says(tmp_path: Path) -> None:
    """A white square on exactly one tile's ground fills that tile and no other."""
    pixels = np.ones((3, 512, 512), np.uint8)
    pixels[:, 256:512, 0:256] = 255
    pictures = read_all(RasterSource(aligned(tmp_path / "a.tif", pixels), SourceOptions()))
    means = {tile.tile_id: float(picture.mean()) for tile, picture in pictures if picture is not None}
    left = mercantile.tile(9.0, 47.0, ZOOM)
    assert means.pop(f"16/{left.x}/{left.y + 1}") == 255
    assert set(means.values()) == {1.0}
