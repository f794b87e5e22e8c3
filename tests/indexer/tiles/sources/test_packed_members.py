import gzip
import tarfile
import zipfile
from pathlib import Path

import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.packed_members import Archives, is_packed

CONTENT = b"\xef\xbb\xbf <VRTDataset>" + bytes(1000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.vrt").write_bytes(CONTENT)
    (tmp_path / "a.tif").write_bytes(b"II*\0 <VRTDataset>")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as into, tarfile.open(tmp_path / "all.tgz", "w:gz") as other:
        for name in ("a.vrt", "a.tif"):
            into.write(tmp_path / name, f"below/{name}")
            other.add(tmp_path / name, f"below/{name}")
    (tmp_path / "a.vrt.gz").write_bytes(gzip.compress(CONTENT))
    return tmp_path


@pytest.mark.parametrize("name", ["zip/{}/all.zip/below", "zip//{}/all.zip//below/x/..", "tar/{}/all.tgz/below"])
def test_a_member_that_is_markup_is_read_and_another_is_none(folder: Path, name: str) -> None:
    with Archives() as archives:
        assert archives.markup(f"/vsi{name.format(folder)}/a.vrt") == CONTENT
        assert archives.markup(f"/vsi{name.format(folder)}/a.tif") is None


def test_a_gzipped_file_is_its_only_member(folder: Path) -> None:
    with Archives() as archives:
        assert archives.markup(f"/vsigzip/{folder}/a.vrt.gz") == CONTENT


@pytest.mark.parametrize(
    "name",
    [
        "/vsizip/{}/all.zip/below/gone.vrt",
        "/vsizip/{}/all.zip",  # of two members none is named
        "/vsizip/{}/all.zip/below",
        "/vsitar/{}/all.tgz",
        "/vsitar/{}/all.tgz/below",
        "/vsizip/{}/a.tif/a.vrt",
        "/vsitar/{}/a.tif/a.vrt",
        "/vsigzip/{}/a.tif",
        "/vsizip/{}/gone.zip/a.vrt",
        "/vsitar/vsigzip/{}/all.tgz/below/a.vrt",
        "/vsisparse/{}/a.vrt",
    ],
)
def test_what_cannot_be_looked_into_is_refused_by_name(folder: Path, name: str) -> None:
    with Archives() as archives, pytest.raises(BadSource, match=r"^/vsi.*looked into.*unpack it$"):
        archives.markup(name.format(folder))


def test_a_damaged_archive_is_refused(folder: Path) -> None:
    path = folder / "a.vrt.gz"
    path.write_bytes(path.read_bytes()[:-20] + bytes(8))
    with Archives() as archives, pytest.raises(BadSource, match="cannot be looked into"):
        archives.markup(f"/vsigzip/{path}")


def test_packed_is_what_gdal_alone_finds(tmp_path: Path) -> None:
    assert is_packed("/vsizip/a.zip")
    assert not is_packed(str(tmp_path))
