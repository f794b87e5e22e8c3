"""Real, openly licensed files, indexed whole; corners are checked against computations that share no code with ours."""

from pathlib import Path

import mercantile
import numpy as np
import pyproj
import pytest
import rasterio

from indexer.building.build import BuildSummary, build_index
from indexer.building.specs import BuildSpec
from indexer.building.verify import verify_index
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from tests.fakes import FakeEncoder

NAIP = ["naip_20090818.tif", "naip_20180716.tif"]
EARTH_M_PER_DEG = 111_320.0


def index_of(path: Path, out: Path, *, max_failed: float = 0.1, **options: object) -> tuple[BuildSummary, TileIndex]:
    source = open_source(path, SourceOptions(**options))  # type: ignore[arg-type]
    summary = build_index(source, FakeEncoder(), out, spec=BuildSpec(max_failed=max_failed))
    source.close()
    index = TileIndex.open(out, verify=True)
    assert verify_index(index, FakeEncoder(), sample=4).least_similarity > 0.999
    return summary, index


def assert_corners_agree(index: TileIndex) -> None:
    """Every tile's corners, to a millimetre on the ground, with mercantile and with PROJ."""
    to_degrees = pyproj.Transformer.from_crs(3857, 4326, always_xy=True)
    for row in range(index.count):
        tile = index.tile(row)
        expected = mercantile.bounds(tile.x, tile.y, tile.z)
        metres = mercantile.xy_bounds(tile.x, tile.y, tile.z)
        by_proj = [*to_degrees.transform(metres.left, metres.bottom), *to_degrees.transform(metres.right, metres.top)]
        for other in (expected, by_proj):
            assert np.abs(np.subtract(tile.bounds.as_tuple(), other)).max() * EARTH_M_PER_DEG < 1e-3
        assert tile.tile_id == f"{tile.z}/{tile.x}/{tile.y}"


def test_the_pmtiles_archive(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "pmtiles" / "usgs-mt-whitney-z8-15.pmtiles"
    summary, index = index_of(path, tmp_path / "index")
    assert (summary.embedded, summary.failed) == (30, 0)
    assert "zoom 15 is indexed (the deepest)" in summary.notes[0]
    assert_corners_agree(index)
    image = index.image(0)
    assert image is not None
    assert image.media_type == "image/webp"
    _, shallow = index_of(path, tmp_path / "shallow", zoom=13)
    assert shallow.count == 4


@pytest.mark.parametrize("name", NAIP)
def test_the_naip_rasters_in_utm_with_four_bands(shared_data: Path, tmp_path: Path, name: str) -> None:
    summary, index = index_of(shared_data / "geotiff" / name, tmp_path / "index", zoom=15)
    assert (summary.embedded, summary.skipped, summary.failed) == (28, 7, 0)
    assert_corners_agree(index)


@pytest.mark.parametrize("name", NAIP)
def test_a_drawn_tile_shows_the_ground_that_its_corners_say(shared_data: Path, name: str) -> None:
    """Pixels of a drawn tile equal the raster's own at the same place, found by PROJ alone."""
    path = shared_data / "geotiff" / name
    source = open_source(path, SourceOptions(zoom=15))
    table = source.list_tiles().table
    tile = table.record(int(np.argmin(np.hypot(table.lat - 47.02, table.lon + 99.155))))
    picture = np.asarray(source.read(tile)).astype(float)
    source.close()
    metres, steps = mercantile.xy_bounds(tile.x, tile.y, tile.z), (np.arange(256) + 0.5) / 256
    east = metres.left + steps * (metres.right - metres.left)
    north = metres.top - steps * (metres.top - metres.bottom)
    with rasterio.open(path) as data:
        to_raster = pyproj.Transformer.from_crs(3857, data.crs, always_xy=True)
        columns, rows = ~data.transform * np.array(to_raster.transform(*np.meshgrid(east, north)))
        values = data.read([1, 2, 3]).astype(float)[:, np.floor(rows).astype(int), np.floor(columns).astype(int)]
    shifted = {
        (down, right): np.abs(np.roll(picture, (down, right), (0, 1)) - values.transpose(1, 2, 0))[3:-3, 3:-3].mean()
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }
    assert min(shifted, key=shifted.__getitem__) == (0, 0)
    assert shifted[0, 0] < 8


def test_the_web_mercator_cog(shared_data: Path, tmp_path: Path) -> None:
    summary, index = index_of(shared_data / "geotiff" / "webmercator_z18_cog.tif", tmp_path / "index")
    assert (summary.embedded, summary.failed) == (16, 0)
    assert "zoom 18" in summary.notes[0]
    assert_corners_agree(index)
    with rasterio.open(shared_data / "geotiff" / "webmercator_z18_cog.tif") as data:
        whole = data.read().transpose(1, 2, 0)
        corner = mercantile.tile(*data.lnglat(), 18)
    source = open_source(shared_data / "geotiff" / "webmercator_z18_cog.tif")
    row = index.row_of(18, corner.x, corner.y)
    assert row is not None
    drawn = np.asarray(source.read(index.tile(row)))
    source.close()
    assert any(
        np.array_equal(drawn, whole[top : top + 256, left : left + 256])
        for top in range(0, 1024, 256)
        for left in range(0, 1024, 256)
    )


def test_the_corrupt_raster_ends_as_counted_failures_with_a_reason(shared_data: Path, tmp_path: Path) -> None:
    summary, index = index_of(shared_data / "geotiff" / "corrupt.tif", tmp_path / "index", max_failed=0.3)
    assert (summary.embedded, summary.failed) == (12, 4)  # one block of 512 x 512 pixels cannot be decoded
    assert index.count == 12
    assert all("TIFFReadEncodedTile() failed" in reason for _, reason in summary.reasons)


def test_a_folder_of_rasters_is_one_mosaic(shared_data: Path, tmp_path: Path) -> None:
    summary, index = index_of(shared_data / "geotiff", tmp_path / "index", zoom=14)
    assert summary.embedded > 0
    assert len({index.tile(row).tile_id for row in range(index.count)}) == index.count


def test_a_stride_in_metres_over_a_real_raster(shared_data: Path, tmp_path: Path) -> None:
    options = {"tile_size_m": 600.0, "stride_m": 300.0, "tile_px": 64}
    summary, index = index_of(shared_data / "geotiff" / NAIP[1], tmp_path / "index", **options)
    assert summary.embedded > 100
    assert index.manifest.tile_size_m == pytest.approx((600.0, 600.0), abs=0.02)
    geodesic = pyproj.Geod(ellps="WGS84")
    tile = index.tile(index.count // 2)
    west, south, east, north = tile.bounds.as_tuple()
    assert geodesic.inv(west, tile.lat, east, tile.lat)[2] == pytest.approx(600, rel=6e-3)
    assert geodesic.inv(tile.lon, south, tile.lon, north)[2] == pytest.approx(600, rel=6e-3)
