"""An archive at an address is read in parts, and is that of the disk."""

from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.common.errors import BadSource, BuildConflict
from indexer.tiles.sources.addresses import RemoteOptions
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import SourceOptions
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, content
from tests.indexer.tiles.sources.archives import write_pmtiles
from tests.indexer.tiles.sources.remote.serving import Served
from tests.indexer.tiny import LEFT, TOP, ZOOM, encoded

ALLOWED = SourceOptions(remote=RemoteOptions(remote=True, attribution="tests", rate_limit=1000.0))


def archive(path: Path, first: int = 0, count: int = 6) -> Path:
    tiles = {(ZOOM, LEFT + seed, TOP): encoded(first + seed, side_px=96) for seed in range(count)}
    return write_pmtiles(path, tiles)


def test_the_index_is_that_of_the_archive_on_disk(served: Served, root: Path, tmp_path: Path) -> None:
    archive(root / "a.pmtiles")
    source = open_source(f"{served.url}/a.pmtiles", ALLOWED)
    build_index(source, FakeEncoder(), tmp_path / "index", spec=SPEC)
    build_index(open_source(root / "a.pmtiles"), FakeEncoder(), tmp_path / "local", spec=SPEC)
    assert content(tmp_path / "index") == content(tmp_path / "local")
    assert set(served.statuses()) == {206}
    source.close()


def test_the_stamp_is_the_version_that_the_server_names(served: Served, root: Path) -> None:
    stamps = []
    for first in (0, 0, 9):
        archive(root / "a.pmtiles", first)
        source = open_source(f"{served.url}/a.pmtiles", ALLOWED)
        table = source.list_tiles().table
        stamps.append(source.stamped(table, dict.fromkeys([], 0).__getitem__).stamp.tolist())  # type: ignore[attr-defined]
        source.close()
    assert stamps[0] == stamps[1] != stamps[2]
    assert len(set(stamps[0])) == 1


def test_an_archive_that_changes_under_a_build_ends_it(served: Served, root: Path, tmp_path: Path) -> None:
    archive(root / "a.pmtiles", count=300)  # more than is fetched at first
    source = open_source(f"{served.url}/a.pmtiles", ALLOWED)
    source.list_tiles()
    archive(root / "a.pmtiles", first=400, count=300)
    with pytest.raises(BuildConflict, match="changed while it was being read"):
        build_index(source, FakeEncoder(), tmp_path / "index", spec=SPEC)
    assert not (tmp_path / "index").exists()
    source.close()


def test_what_is_no_archive_or_not_there_or_not_in_parts_is_refused(served: Served, root: Path) -> None:
    (root / "text.pmtiles").write_bytes(b"no archive" * 100)
    with pytest.raises(BadSource, match="no PMTiles archive"):
        open_source(f"{served.url}/text.pmtiles", ALLOWED)
    with pytest.raises(BadSource, match="cannot be read"):
        open_source(f"{served.url}/missing.pmtiles", ALLOWED)
    archive(root / "a.pmtiles")
    served.ranges = False
    with pytest.raises(BadSource, match="range requests"):
        open_source(f"{served.url}/a.pmtiles", ALLOWED)
