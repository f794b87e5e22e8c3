"""Files that virtual rasters name and that are not there are found, in those within them too."""

from pathlib import Path

import pytest

from indexer.tiles.sources.virtual_members import missing_members


def vrt(path: Path, *names: str, relative: int = 1) -> Path:
    sources = "".join(f'<SourceFilename relativeToVRT="{relative}">{name}</SourceFilename>' for name in names)
    path.write_text(f"<VRTDataset><VRTRasterBand><SimpleSource>{sources}</SimpleSource></VRTRasterBand></VRTDataset>")
    return path


def test_members_that_are_not_there_are_named_once(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    assert missing_members(vrt(tmp_path / "all.vrt", "a.tif", "b.tif", "b.tif", "c.tif")) == ["b.tif", "c.tif"]


def test_a_virtual_raster_within_another_counts(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    vrt(tmp_path / "below" / "part.vrt", "gone.tif")
    assert missing_members(vrt(tmp_path / "all.vrt", "below/part.vrt")) == ["gone.tif"]


def test_names_may_be_absolute(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    path = vrt(tmp_path / "all.vrt", f"{tmp_path}/a.tif", f"{tmp_path}/b.tif", relative=0)
    assert missing_members(path) == [f"{tmp_path}/b.tif"]


@pytest.mark.parametrize("name", ["/vsizip/all.zip/a.tif", 'NETCDF:"a.nc":red', "https://example.org/a.tif"])
def test_what_gdal_finds_elsewhere_is_left_to_it(tmp_path: Path, name: str) -> None:
    assert missing_members(vrt(tmp_path / "all.vrt", name)) == []


def test_circles_and_damage_end(tmp_path: Path) -> None:
    assert missing_members(vrt(tmp_path / "a.vrt", "a.vrt")) == []
    (tmp_path / "b.vrt").write_text("<VRTDataset><")
    assert missing_members(tmp_path / "b.vrt") == []
    assert missing_members(tmp_path / "c.tif") == []
