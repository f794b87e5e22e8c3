from pathlib import Path

import pytest

from indexer.tiles.sources.named_overviews import overview_file, overviews_named


def beside(raster: Path, content: str) -> Path:
    Path(f"{raster}.aux.xml").write_text(content)
    return raster


def named(name: str, key: str = "OVERVIEW_FILE") -> str:
    return f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="{key}">{name}</MDI></Metadata></PAMDataset>'


def test_the_name_is_given_as_it_is_written_and_as_a_file(tmp_path: Path) -> None:
    raster = beside(tmp_path / "a.tif", named(" /data/o.tif "))
    assert (overviews_named(raster), overview_file(raster)) == ("/data/o.tif", Path("/data/o.tif"))
    beside(raster, named(":::BASE:::o.tif", "overview_file"))
    assert overview_file(raster) == tmp_path / "o.tif"


@pytest.mark.parametrize("content", ["", "<PAMDataset>", named(""), named("/data/o.tif", "OTHER"), "<PAMDataset/>"])
def test_without_a_name_there_is_none(tmp_path: Path, content: str) -> None:
    raster = beside(tmp_path / "a.tif", content)
    assert (overviews_named(raster), overview_file(raster)) == ("", None)
    assert overview_file(tmp_path / "b.tif") is None
