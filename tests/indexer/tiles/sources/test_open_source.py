from pathlib import Path

import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.addresses import RemoteOptions
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from tests.indexer.tiles.sources.archives import write_mbtiles, write_pmtiles
from tests.indexer.tiles.sources.rasters import write_raster
from tests.indexer.tiny import build_tiny, encoded, make_tiles

TILES = {(15, 17_000, 11_000): encoded(0)}


def test_each_kind_is_recognised_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,lat,lon\na.png,47,8\n")
    for number in range(2):
        (tmp_path / f"mosaic-{number}").mkdir()
    found = {
        "folder": make_tiles(tmp_path / "tiles", 1, 1),
        "pmtiles": write_pmtiles(tmp_path / "no-suffix", TILES),
        "mbtiles": write_mbtiles(tmp_path / "neither", TILES),
        "raster": write_raster(tmp_path / "mosaic-0" / "a.tif"),
        "list": tmp_path / "list.csv",
    }
    for kind, path in found.items():
        source = open_source(path)
        assert source.kind == kind
        source.close()
    source = open_source(found["raster"].parent)
    assert source.kind == "raster"
    source.close()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing", None, "does not exist"),
        ("empty", b"", "is empty"),
        ("text", b"hello, world", "of no known kind"),
    ],
)
def test_what_is_no_source_is_refused_with_what_is_one(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadSource, match=f"{message}.*give a folder"):
        open_source(tmp_path / name)


@pytest.mark.parametrize("text", ["", "  ", "a\0b"])
def test_a_path_that_is_none_does_not_become_the_working_directory(text: str) -> None:
    with pytest.raises(BadSource, match="is none; give a folder"):
        open_source(text)


def test_an_index_is_not_a_source(tmp_path: Path) -> None:
    build_tiny(tmp_path)
    with pytest.raises(BadSource, match="is an index"):
        open_source(tmp_path / "index")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tile_size_m": 100.0, "stride_m": 40.0}, "--tile-size-m 100.0"),
        ({"bands": (4, 3, 2)}, "--bands 4,3,2"),
        ({"nodata": 0.0}, "--nodata 0.0"),
        ({"skip_bad": True}, "--skip-bad does not"),
        ({"tile_px": 512}, "--tile-px 512"),
        ({"asset": "visual"}, "--asset visual"),
    ],
)
def test_what_says_how_to_cut_is_refused_where_tiles_are_cut_already(tmp_path: Path, given: dict, said: str) -> None:
    remote = RemoteOptions(remote=True, attribution="me")
    sources = [make_tiles(tmp_path / "tiles", 1, 1), write_pmtiles(tmp_path / "a.pmtiles", TILES)]
    sources += [write_mbtiles(tmp_path / "a.mbtiles", TILES), "http://127.0.0.1:9/{z}/{x}/{y}.png"]
    for source in sources:
        with pytest.raises(BadSource, match=f"cut already, so {said}"):
            open_source(source, SourceOptions(**given, remote=remote))


def test_a_list_may_state_the_size_of_its_tiles_and_no_stride(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(0))
    (tmp_path / "list.csv").write_text("path,lat,lon\na.png,47,8\n")
    open_source(tmp_path / "list.csv", SourceOptions(tile_size_m=100.0)).close()
    with pytest.raises(BadSource, match=r"so --stride-m 40\.0 does not apply"):
        open_source(tmp_path / "list.csv", SourceOptions(tile_size_m=100.0, stride_m=40.0))
