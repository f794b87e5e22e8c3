import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.bands import inspect_raster, remarks_on
from indexer.tiles.sources.source import SourceOptions
from model.common.geo import Bounds
from tests.indexer.tiles.sources.rasters import write_raster


def test_a_file_is_known_without_reading_its_tiles(tmp_path):
    write_raster(tmp_path / "a.tif", res=2.0)
    file, sample = inspect_raster(tmp_path, "a.tif", SourceOptions())
    assert (file.name, file.size, file.colours.bands) == ("a.tif", (256, 256), (1, 2, 3))
    assert file.mercator_res_m == pytest.approx(2.0, rel=1e-3)
    assert sample.values.shape[0] == 3
    assert file.touches(file.bounds)
    assert not file.touches(Bounds(file.bounds.east + 1.0, 0.0, file.bounds.east + 2.0, 1.0))
    with file.open(tmp_path) as data:
        assert data.count == 3


def test_its_members_are_known_as_they_were(tmp_path):
    write_raster(tmp_path / "a.tif")
    members = inspect_raster(tmp_path, "a.tif", SourceOptions())[0].members
    stat = (tmp_path / "a.tif").stat()
    assert members[tmp_path / "a.tif"] == (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    assert members[tmp_path / "a.tif.ovr"] == (0, 0, 0, 0)


def test_a_black_collar_that_no_tag_explains_is_remarked_on(tmp_path):
    pixels = np.full((3, 128, 128), 90, np.uint8)
    pixels[:, :64] = 0
    write_raster(tmp_path / "a.tif", pixels)
    (remark,) = remarks_on(*inspect_raster(tmp_path, "a.tif", SourceOptions()))
    assert "exactly black (0)" in remark
    assert "give --nodata 0" in remark
    write_raster(tmp_path / "b.tif", pixels, nodata=0)
    assert remarks_on(*inspect_raster(tmp_path, "b.tif", SourceOptions())) == []


def test_what_is_no_raster_is_refused(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0 and nothing")
    with pytest.raises(BadSource, match="cannot be opened as a raster"):
        inspect_raster(tmp_path, "a.tif", SourceOptions())
