"""Which way a segment is searched, and what it says of that."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.common.errors import BadRecipe
from indexer.index import exact_search
from indexer.index.manifest import ASKED_VERSION, Manifest
from indexer.index.planner import _ends, _reaches, _steps, expects_lists, plan_search
from indexer.index.search_spec import SearchSpec
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.index.test_exact_search import unit
from tests.indexer.tiny import make_tiles, vector_of

VECTORS = unit(1_500).astype(np.float16)


def test_what_fits_the_time_and_the_memory_is_exact(tmp_path: Path) -> None:
    for spec in (SearchSpec(latency_ms=1e6), SearchSpec(latency_ms=1e6, memory=VECTORS.nbytes)):
        assert plan_search(VECTORS, spec, tmp_path / "lists").kind == "exact"
    assert not (tmp_path / "lists").exists()


def test_a_forecast_compares_no_more_vectors_than_a_search_does(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def counted(vectors: Any, query: Any, rows: Any, top_k: int) -> Any:
        compared.append(len(rows))
        return rank(vectors, query, rows, top_k)

    rank = exact_search.rank
    monkeypatch.setattr(exact_search, "rank", counted)
    assert not expects_lists(5_000, 32, SearchSpec(latency_ms=1e6))
    assert max(compared) <= 64


@pytest.mark.parametrize(
    "spec", [SearchSpec(latency_ms=0, target_recall=0.9), SearchSpec(latency_ms=1e6, memory=70_000, target_recall=0.6)]
)
def test_else_lists_reach_the_recall_that_was_asked_for(tmp_path: Path, spec: SearchSpec) -> None:
    recipe = plan_search(VECTORS, spec, tmp_path / "lists")
    assert (recipe.kind, recipe.target) == ("ivf", spec.target_recall)
    assert recipe.recall >= spec.target_recall
    assert recipe.curve[-1] == (recipe.probes, recipe.recall)
    assert recipe.codes == ("PQ16x4fs" if spec.memory is None else "PQ8x4fs")


@pytest.mark.parametrize(
    ("recalls", "surely"),
    [
        (np.repeat([1.0, 0.0], [96, 4]), 0.935),
        (np.full(100, 0.96), 0.935),  # shares are taken for hits and misses, which vary most
        (np.repeat([1.0, 0.0], [199, 1]), 0.986),
    ],
)
def test_a_recall_is_reached_by_more_than_luck(recalls: Any, surely: float) -> None:
    """At the lower end of Wilson's interval."""
    assert _reaches(recalls, surely)
    assert not _reaches(recalls, surely + 0.001)


@pytest.mark.parametrize("count", [1, 3, 10, 200])
def test_a_sample_without_a_miss_is_enough_however_small(count: int) -> None:
    assert _reaches(np.ones(count), 0.999)
    assert not _reaches(np.append(np.ones(count - 1), 0.9), 0.999)


def test_lists_that_find_no_more_are_not_visited() -> None:
    """Where the mean has reached the target, and twice as many lists found as much."""
    curve = [(1, 0.5), (2, 0.96), (3, 0.97), (4, 0.97)]
    assert not _ends(curve, 0.95, 64)
    assert _ends([*curve, (6, 0.97)], 0.95, 64)
    assert not _ends([*curve, (6, 0.97)], 0.98, 64)
    assert not _ends([*curve, (6, 0.975)], 0.95, 64)
    assert _ends([*curve, (5, 0.98)], 0.98, 5)


def test_lists_are_tried_in_steps_of_a_half_and_a_third() -> None:
    assert _steps(20) == [1, 2, 3, 4, 6, 8, 12, 16, 20]
    assert [_steps(lists) for lists in (1, 2, 3)] == [[1], [1, 2], [1, 2, 3]]


def test_candidates_are_as_few_as_the_recall_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And more than at first only where all lists find too little with those."""

    def recalls(wanted: int) -> Any:
        return lambda *given: np.full(5, float(given[-2].candidates >= wanted))

    for wanted, taken in ((1, (1, 8)), (10, (1, 16)), (20, (1, 32)), (100, (1, 128))):
        monkeypatch.setattr("indexer.index.planner._recalls", recalls(wanted))
        recipe = plan_search(VECTORS, SearchSpec(latency_ms=0), tmp_path / "lists")
        assert (recipe.probes, recipe.candidates) == taken
    monkeypatch.setattr("indexer.index.planner._recalls", recalls(200))
    with pytest.raises(BadRecipe, match=r"find 0\.0%"):
        plan_search(VECTORS, SearchSpec(latency_ms=0), tmp_path / "lists")


def test_what_cannot_be_had_says_what_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadRecipe, match="--memory allows"):
        plan_search(VECTORS, SearchSpec(memory=1_000), tmp_path / "lists")
    monkeypatch.setattr("indexer.index.planner._MOST_CANDIDATES", (1,))
    coarse = SearchSpec(memory=45_000, target_recall=1.0)
    with pytest.raises(BadRecipe, match=r"codes of 2 bytes a vector find .* give --target-recall 0\.\d+, or more"):
        plan_search(VECTORS, coarse, tmp_path / "lists")


def test_the_manifest_keeps_what_was_measured_and_an_exact_index_the_format_before(tmp_path: Path) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 8, 8))
    for name, search in (("exact", SearchSpec()), ("lists", SearchSpec(latency_ms=0))):
        build_index(source, FakeEncoder(), tmp_path / name, spec=BuildSpec(search=search))
    assert Manifest.read(tmp_path / "exact").version == 3
    manifest = Manifest.read(tmp_path / "lists")
    assert manifest.version == ASKED_VERSION
    assert manifest.search.asked == {"latency_ms": 0.0}
    assert manifest.search.recall >= 0.95
    for exact in (False, True):
        index = TileIndex.open(tmp_path / "lists", exact=exact)
        assert index.search(vector_of(9), top_k=1)[0].exact == exact
        index.close()


def test_a_memory_that_is_too_small_is_said_before_a_tile_is_embedded_and_a_recall_can_be_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, encoder = open_source(make_tiles(tmp_path / "tiles", 8, 8)), FakeEncoder()
    with pytest.raises(BadRecipe, match="allow more"):
        build_index(source, encoder, tmp_path / "index", spec=BuildSpec(search=SearchSpec(memory=100)))
    assert not (tmp_path / ".index.partial").exists()
    monkeypatch.setattr("indexer.index.planner._recalls", lambda *_: np.full(8, 0.9))
    with pytest.raises(BadRecipe, match=r"give --target-recall 0\.9,"):
        build_index(source, encoder, tmp_path / "index", spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    again = BuildSpec(search=SearchSpec(latency_ms=0, target_recall=0.85))
    assert build_index(source, encoder, tmp_path / "index", spec=again).resumed == 64


@pytest.mark.parametrize("version", [3, 5, 6])
def test_lists_of_formats_before_are_read(tmp_path: Path, version: int) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 8, 8))
    build_index(source, FakeEncoder(), tmp_path / "index", spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    manifest = Manifest.read(tmp_path / "index")
    unknown: dict[str, Any] = {"asked": {}}
    if version < 6:
        unknown["trial"] = ""
    if version < 5:
        unknown |= {"codes": "", "target": 0.0, "recall": 0.0, "curve": []}
    old = replace(manifest, version=version, search=replace(manifest.search, **unknown))
    old.write(tmp_path / "index")
    assert Manifest.read(tmp_path / "index") == old
    index = TileIndex.open(tmp_path / "index")
    assert not index.search(vector_of(9), top_k=1)[0].exact
    index.close()
