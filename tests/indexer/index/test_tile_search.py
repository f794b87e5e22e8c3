"""Tiles of several vectors: the same answer as scoring all of them, for a fraction of the vectors looked at."""

from pathlib import Path

import numpy as np
import pytest

from indexer.index.exact_search import ExactScan
from indexer.index.ivf import Codes, load_approximate, write_approximate
from indexer.index.manifest import SearchRecipe
from indexer.index.tile_search import best_tiles, propose_tiles, vectors_of_tiles
from indexer.index.zones import best_anchors
from tests.indexer.index.test_exact_search import unit

PER_TILE = 25


def alike(tiles: int, spread: float, seed: int = 0) -> np.ndarray:
    """float16 [tiles * PER_TILE, 32], the vectors of each tile around one of its own."""
    rng = np.random.default_rng(seed)
    middles = np.repeat(unit(tiles, 32, seed=seed), PER_TILE, axis=0)
    vectors = middles + spread * rng.standard_normal(middles.shape).astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def asked_of(scan: ExactScan) -> list[int]:
    """How many vectors each later scan asks for."""
    asked: list[int] = []
    plain = scan.candidates

    def counted(queries, runs, *, top_k):
        asked.append(top_k)
        return plain(queries, runs, top_k=top_k)

    scan.candidates = counted  # type: ignore[method-assign]
    return asked


@pytest.mark.parametrize("spread", [0.01, 0.3, 3.0])
@pytest.mark.parametrize("top_k", [1, 7, 60, 500])
@pytest.mark.parametrize("runs", [[[0, 400]], [[3, 9], [20, 390]], [[5, 6]], []])
def test_the_tiles_are_those_of_scoring_every_vector(spread: float, top_k: int, runs: list[list[int]]) -> None:
    vectors, queries = alike(400, spread), unit(3, 32, seed=9)
    tiles = np.concatenate([np.arange(*run) for run in runs] or [np.empty(0, np.int64)]).astype(np.int64)
    spans = np.array(runs, np.int64).reshape(-1, 2) * PER_TILE
    found = best_tiles(ExactScan(vectors, threads=2), queries, spans, per_tile=PER_TILE, top_k=top_k)
    for query, one in zip(queries, found, strict=True):
        rows, scores, anchors = best_anchors(*one, PER_TILE, top_k)
        each = (vectors.astype(np.float64) @ query.astype(np.float64)).astype(np.float32).reshape(-1, PER_TILE)[tiles]
        order = np.argsort(-each.max(axis=1), kind="stable")[:top_k]
        assert rows.tolist() == tiles[order].tolist()
        assert scores.tolist() == each.max(axis=1)[order].tolist()
        assert anchors.tolist() == each.argmax(axis=1)[order].tolist()


def test_more_vectors_are_asked_for_only_where_a_few_hold_too_few_tiles() -> None:
    apart, same = (ExactScan(alike(400, spread), threads=1) for spread in (3.0, 0.001))
    asked = asked_of(apart)
    best_tiles(apart, unit(1, 32, seed=9), np.array([[0, 400 * PER_TILE]]), per_tile=PER_TILE, top_k=10)
    assert asked == [90]
    asked = asked_of(same)
    best_tiles(same, unit(1, 32, seed=9), np.array([[0, 400 * PER_TILE]]), per_tile=PER_TILE, top_k=10)
    assert asked == [90, 250]


def test_lists_propose_tiles_and_ask_for_more_where_they_are_too_few(tmp_path: Path) -> None:
    vectors = alike(300, 0.001)
    write_approximate(tmp_path / "lists", vectors, 8, Codes("SQ8", 32))
    recipe = SearchRecipe(kind="ivf", lists=8, probes=8, candidates=1)
    index = load_approximate(tmp_path / "lists", recipe, count=len(vectors), dim=32)
    queries = vectors[[0, 100 * PER_TILE]].astype(np.float32)
    proposed = propose_tiles(index, queries, recipe, per_tile=PER_TILE, top_k=9)
    assert [len(tiles) >= 9 for tiles in proposed] == [True, True]
    assert 0 in proposed[0]
    assert 100 in proposed[1]
    everything = propose_tiles(index, queries, recipe, per_tile=PER_TILE, top_k=1000)
    assert everything[0].tolist() == list(range(300))


def test_all_vectors_of_a_tile_are_looked_at() -> None:
    assert vectors_of_tiles(np.array([2, 5]), 3).tolist() == [6, 7, 8, 15, 16, 17]
