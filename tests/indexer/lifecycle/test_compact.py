"""Few segments instead of many, and the same answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.common.errors import IndexDamaged
from indexer.index.index_manifest import IndexManifest
from indexer.index.search_spec import SearchSpec
from indexer.index.tile_index import TileIndex
from indexer.index.trial import TRIAL
from indexer.lifecycle.change import changing
from indexer.lifecycle.compact import compact_index
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import SPEC, add, best, compact, content, name_of, opened, put_tile, remove
from tests.indexer.tiny import build_tiny, vector_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny(tmp_path).close()
    return tmp_path / "index"


def test_a_compacted_index_answers_alike_and_has_the_files_of_a_build(folder: Path, tmp_path: Path) -> None:
    for row in range(3):
        put_tile(tmp_path / "tiles", 6 + row, row, 60 + row)
        add(folder, tmp_path / "tiles")
    remove(folder, ids=(name_of(0, 1), name_of(7, 1)))
    digest, before = IndexManifest.read(folder).digest, content(folder)
    answers = [best(folder, vector_of(seed), 13) for seed in (0, 7, 61)]
    assert compact(folder) == 3  # of the fourth nothing is left
    assert IndexManifest.read(folder).digest == digest
    assert content(folder) == before
    assert [best(folder, vector_of(seed), 13) for seed in (0, 7, 61)] == answers
    with opened(folder) as index:
        assert len(index.segments) == 1
        assert index.segments[0].removed is None
    assert compact(folder) == 0
    for column, row in ((0, 1), (7, 1)):
        put_tile(tmp_path / "tiles", column, row, 0).unlink()
    build_index(open_source(tmp_path / "tiles"), FakeEncoder(), tmp_path / "whole", spec=SPEC)
    (made,) = (folder / "segments").iterdir()
    for name in ("embeddings.npy", "tiles.parquet"):
        assert (made / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_lists_are_tuned_anew_by_the_questions_that_were_kept(tmp_path: Path) -> None:
    build_tiny(tmp_path, 6, 6, spec=replace(SPEC, search=SearchSpec(latency_ms=0))).close()
    folder = tmp_path / "index"
    remove(folder, ids=(name_of(0, 0),))
    with changing(folder, verify=True) as change:
        assert compact_index(change, search=SearchSpec(latency_ms=0)) == 1
    with opened(folder) as index:
        (segment,) = index.segments
        assert segment.manifest.search.trial == "36 panoramas drawn of its tiles"
        assert (segment.folder / TRIAL).exists()
    assert not (folder / TRIAL).exists()


def test_sources_stay_apart(folder: Path, tmp_path: Path) -> None:
    put_tile(tmp_path / "more", 6, 0, 60)
    add(folder, tmp_path / "more")
    remove(folder, ids=(name_of(0, 0),))
    assert compact(folder) == 1
    with opened(folder) as index:
        assert [segment.source_path.name for segment in index.segments] == ["more", "tiles"]
        assert all(index.image(row) is not None for row in range(index.count))


def test_a_damaged_vector_is_not_copied(folder: Path) -> None:
    remove(folder, ids=(name_of(0, 0),))
    data = bytearray((folder / "embeddings.npy").read_bytes())
    data[-5] ^= 1
    (folder / "embeddings.npy").write_bytes(bytes(data))
    with pytest.raises(IndexDamaged):
        compact(folder)
    assert len(list((folder / "segments").glob("0*"))) == 0
    with pytest.raises(IndexDamaged):
        TileIndex.open(folder)
