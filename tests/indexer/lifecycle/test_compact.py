"""Few segments instead of many, and the same answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.common.errors import IndexDamaged
from indexer.index.index_manifest import IndexManifest
from indexer.index.manifest import FORMAT_VERSION, TRIED_VERSION, Manifest, SearchRecipe
from indexer.index.search_spec import SearchChange, SearchSpec
from indexer.index.tile_index import TileIndex
from indexer.index.trial import TRIAL
from indexer.lifecycle.change import changing
from indexer.lifecycle.compact import compact_index
from indexer.lifecycle.split import split_index
from indexer.tiles.region import BoxRegion
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
        assert compact_index(change) == 1
    with opened(folder) as index:
        (segment,) = index.segments
        assert segment.manifest.search.trial == "36 panoramas drawn of its tiles"
        assert (segment.folder / TRIAL).exists()
    assert not (folder / TRIAL).exists()


def planned(folder: Path) -> SearchRecipe:
    with opened(folder) as index:
        (segment,) = index.segments
        return segment.manifest.search


def test_segments_are_planned_as_the_build_was_asked_to_unless_compact_is_told_otherwise(tmp_path: Path) -> None:
    asked = SearchSpec(latency_ms=0, target_recall=0.7)
    build_tiny(tmp_path, 8, 8, spec=replace(SPEC, search=asked)).close()
    folder = tmp_path / "index"
    put_tile(tmp_path / "tiles", 8, 0, 80)
    add(folder, tmp_path / "tiles")  # of default flags, and smaller
    assert compact(folder) == 2
    recipe = planned(folder)
    assert (recipe.kind, recipe.target) == ("ivf", 0.7)
    assert SearchSpec(**recipe.asked) == asked
    remove(folder, ids=(name_of(0, 0),))
    with changing(folder, verify=True) as change:
        assert compact_index(change, search=SearchChange(latency_ms=1e9)) == 1
    recipe = planned(folder)
    assert recipe.kind == "exact"
    assert SearchSpec(**recipe.asked) == replace(asked, latency_ms=1e9)


def test_a_part_that_is_split_off_is_planned_as_the_index_was(tmp_path: Path) -> None:
    build_tiny(tmp_path, 8, 8, spec=replace(SPEC, search=SearchSpec(latency_ms=0))).close()
    with opened(tmp_path / "index") as index:
        split_index(index, BoxRegion(index.bounds), tmp_path / "same")
        split_index(index, BoxRegion(index.bounds), tmp_path / "exact", search=SearchChange(latency_ms=1e9))
    assert [planned(tmp_path / name).kind for name in ("same", "exact")] == ["ivf", "exact"]


def test_an_index_of_the_format_before_is_planned_by_the_defaults(tmp_path: Path) -> None:
    build_tiny(tmp_path, 8, 8, spec=replace(SPEC, search=SearchSpec(latency_ms=0))).close()
    folder = tmp_path / "index"
    manifest = Manifest.read(folder)
    replace(manifest, version=TRIED_VERSION, search=replace(manifest.search, asked={})).write(folder)
    remove(folder, ids=(name_of(0, 0),))
    compact(folder)
    assert planned(folder).kind == "exact"
    with opened(folder) as index:
        assert index.segments[0].manifest.version == FORMAT_VERSION


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
