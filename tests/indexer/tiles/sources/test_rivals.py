import pytest
import rasterio

from indexer.common.errors import BadSource
from indexer.tiles.sources.rivals import require_one_place
from tests.indexer.tiles.sources.rasters import write_raster


def remarks(path):
    with rasterio.open(path) as data:
        return require_one_place(data, path)


def test_a_raster_alone_or_with_files_that_agree_is_not_remarked_on(tmp_path):
    write_raster(tmp_path / "a.tif")
    assert remarks(tmp_path / "a.tif") == []
    with rasterio.open(tmp_path / "a.tif") as data:
        a = data.transform
    (tmp_path / "a.tif.aux.xml").write_text("<PAMDataset><Metadata/></PAMDataset>")
    (tmp_path / "a.tfw").write_text(f"{a.a}\n0\n0\n{a.e}\n{a.c + a.a / 2}\n{a.f + a.e / 2}\n")
    assert remarks(tmp_path / "a.tif") == []


def test_a_file_beside_that_says_another_place_is_named(tmp_path):
    write_raster(tmp_path / "a.tif")
    (tmp_path / "a.wld").write_text("1\n0\n0\n-1\n5\n5\n")
    (remark,) = remarks(tmp_path / "a.tif")
    assert "a.wld puts it at 4.5, 5.5; its own place is used" in remark
    (tmp_path / "a.tif.aux.xml").write_text("<PAMDataset><GeoTransform>7,1,0,7,0,-1</GeoTransform></PAMDataset>")
    with pytest.raises(BadSource, match=r"a\.tif\.aux\.xml puts it at 7, 7"):
        remarks(tmp_path / "a.tif")


def test_what_is_no_geotiff_has_one_statement_only(tmp_path):
    from rasterio.shutil import copy

    write_raster(tmp_path / "a.tif")
    copy(tmp_path / "a.tif", tmp_path / "a.vrt", driver="VRT")
    (tmp_path / "a.wld").write_text("1\n0\n0\n-1\n5\n5\n")
    assert remarks(tmp_path / "a.vrt") == []
