"""One raster file looked into: what is known of it, what stops it, and what is remarked."""

import numpy as np
import pytest
from affine import Affine
from rasterio.enums import ColorInterp

from indexer.common.errors import BadSource
from indexer.tiles.sources.bands import inspect_raster, remarks_on
from indexer.tiles.sources.source import SourceOptions
from model.common.geo import Bounds
from tests.inputs.rasters import write, write_painted

UTM, GRID = "EPSG:32632", Affine(10.0, 0.0, 465_000.0, 0.0, -10.0, 5_247_000.0)
NOISE = np.random.default_rng(0).integers(1, 255, (3, 64, 64), dtype=np.uint8)


def inspect(path, **options):
    return inspect_raster(path.parent, path.name, SourceOptions(**options))


def test_what_is_known_of_a_file_is_what_it_says(tmp_path):
    file, sample = inspect(write_painted(tmp_path / "a.tif", UTM, GRID))
    assert (file.name, file.size, file.colours.bands) == ("a.tif", (300, 260), (1, 2, 3))
    assert file.mercator_res_m == pytest.approx(10.0 / np.cos(np.radians(47.36)), rel=0.01)
    assert sample.values.shape == (3, 300 * 260)
    assert file.touches(Bounds(8.54, 47.36, 8.55, 47.37))
    assert not file.touches(Bounds(9.54, 47.36, 9.55, 47.37))
    with file.open(tmp_path) as data:
        assert data.count == 3


def test_its_stamp_changes_with_its_pixels_and_with_a_sidecar(tmp_path):
    path = write(tmp_path / "a.tif", NOISE, crs=UTM, transform=GRID)
    first = inspect(path)[0]
    (tmp_path / "a.tfw").write_text("10\n0\n0\n-10\n465005\n5246995\n")
    second = inspect(path)[0]
    write(path, 255 - NOISE, crs=UTM, transform=GRID)
    assert len({first.stamp, second.stamp, inspect(path)[0].stamp}) == 3
    assert first.members[path] != (0, 0)
    assert first.members[tmp_path / "a.tfw"] == (0, 0)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_what_is_no_raster_or_has_no_place_is_refused_by_name(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0 and no more")
    with pytest.raises(BadSource, match=r"a.tif cannot be opened as a raster"):
        inspect(tmp_path / "a.tif")
    with pytest.raises(BadSource, match=r"b.tif has no coordinate reference system"):
        inspect(write(tmp_path / "b.tif", NOISE))


def test_an_honest_file_needs_no_remark(tmp_path):
    assert remarks_on(*inspect(write(tmp_path / "a.tif", NOISE, crs=UTM, transform=GRID))) == []


@pytest.mark.parametrize(("value", "word"), [(0, "black"), (255, "white")])
def test_a_collar_without_a_tag_is_remarked_and_one_with_a_tag_is_not(tmp_path, value, word):
    collared = NOISE.copy()
    collared[:, :, :8] = value
    said = write(tmp_path / "said.tif", collared, crs=UTM, transform=GRID, nodata=value)
    assert remarks_on(*inspect(said)) == []
    (remark,) = remarks_on(*inspect(write(tmp_path / "a.tif", collared, crs=UTM, transform=GRID)))
    assert f"about 12% of it is exactly {word} ({value})" in remark
    assert f"--nodata {value}" in remark


def test_an_alpha_band_of_grades_is_remarked(tmp_path):
    kinds = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    path = write(tmp_path / "a.tif", np.concatenate([NOISE, NOISE[:1]]), crs=UTM, transform=GRID, colorinterp=kinds)
    (remark,) = remarks_on(*inspect(path))
    assert remark.startswith("band 4 is marked alpha")
    assert remark.endswith("give --bands 1,2,3")
