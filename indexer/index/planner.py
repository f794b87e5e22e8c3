"""Which way to search a segment: by measured time and by bytes, never by a count of vectors.

All vectors are compared where that fits the time and the memory that are allowed. Else lists of coarse codes propose,
and the exact vectors decide; how many lists a query visits is tried out against the exact scan, on panoramas where
there are some (`indexer.index.trial`).
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadRecipe
from indexer.index.exact_search import ExactScan, rank
from indexer.index.ivf import Codes, codes_within, lists_for, load_approximate, write_approximate
from indexer.index.manifest import SearchRecipe
from indexer.index.search_spec import SearchSpec
from indexer.index.tile_search import best_tiles, propose_tiles, vectors_of_tiles
from indexer.index.trial import NOISE, MakeTrial, Trial, noisy_trial
from indexer.index.zones import best_anchors

__all__ = ["expects_lists", "plan_search", "require_possible"]

_SAMPLE_BYTES = 64 << 20
_TOP = 10
_CANDIDATES = (8, 32, 128)

_Half = NDArray[np.float16]


def plan_search(
    vectors: _Half, spec: SearchSpec, path: Path, *, per_tile: int = 1, trial: MakeTrial | None = None
) -> SearchRecipe:
    """Decide how vectors are searched, and write the lists, and what they were tuned by, where there are to be any.

    Args:
        vectors: float16 [N, D], memory-mapped.
        spec: what it may cost.
        path: file for the lists.
        per_tile: number of vectors of a tile, in a row.
        trial: makes queries to tune the lists by; without it, or where it makes none, they are vectors with noise.

    Raises:
        BadRecipe: no codes are small enough for the memory, or the recall cannot be reached.
    """
    count, dim = vectors.shape
    fits = spec.memory is None or vectors.nbytes <= spec.memory
    if fits and _scan_ms(vectors[: _sample_rows(dim)], count) <= spec.latency_ms:
        return SearchRecipe(asked=spec.asked)
    codes = codes_within(count, dim, spec.memory)
    lists = lists_for(count)
    write_approximate(path, vectors, lists, codes)
    asked = (trial() if trial else None) or noisy_trial(vectors)
    recipe = _tuned(vectors, path, lists, codes, spec, per_tile, asked)
    if asked.kind != NOISE:
        asked.write(path.parent)
    return recipe


def expects_lists(count: int, dim: int, spec: SearchSpec) -> bool:
    """Whether vectors [count, dim] that are not there yet will need lists, as `plan_search` will decide."""
    if spec.memory is not None and 2 * count * dim > spec.memory:
        return True
    return _scan_ms(_stand_ins(min(count, _sample_rows(dim)), dim), count) > spec.latency_ms


def _stand_ins(count: int, dim: int) -> _Half:
    """float16 [count, dim] of which a scan finds a few best, as of real vectors: equal ones would all be compared."""
    vectors = np.zeros((count, dim), np.float16)
    vectors[:, 0] = 1.0 / np.arange(1, count + 1)
    return vectors


def _sample_rows(dim: int) -> int:
    return max(1, _SAMPLE_BYTES // (2 * dim))


def require_possible(count: int, dim: int, spec: SearchSpec) -> None:
    """Make sure, before anything is embedded, that vectors [count, dim] can be searched within the memory.

    Raises:
        BadRecipe: no codes are small enough.
    """
    if spec.memory is not None and 2 * count * dim > spec.memory:
        codes_within(count, dim, spec.memory)


def _scan_ms(sample: _Half, count: int) -> float:
    """How long an exact scan of so many vectors takes, from one of a part that the memory holds."""
    part = np.ascontiguousarray(sample)
    scan, query = ExactScan(part), np.eye(1, part.shape[1], dtype=np.float32)
    runs = np.array([[0, len(part)]])
    scan.search(query, runs, top_k=_TOP)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        scan.search(query, runs, top_k=_TOP)
        seconds.append(time.perf_counter() - began)
    scan.close()
    return float(1000.0 * min(seconds) * count / len(part))


def _tuned(
    vectors: _Half, path: Path, lists: int, codes: Codes, spec: SearchSpec, per_tile: int, trial: Trial
) -> SearchRecipe:
    """The fewest lists visited, and candidates compared, that reach the recall."""
    count, dim = vectors.shape
    queries = trial.queries
    top_k = min(_TOP, count // per_tile)
    scan = ExactScan(vectors)
    exact = best_tiles(scan, queries, np.array([[0, count]]), per_tile=per_tile, top_k=top_k)
    truth = [best_anchors(*found, per_tile, top_k)[0] for found in exact]
    scan.close()
    recipe = SearchRecipe(
        kind="ivf",
        lists=lists,
        codes=codes.factory,
        target=spec.target_recall,
        trial=f"{len(queries)} {trial.kind}",
        asked=spec.asked,
    )
    index = load_approximate(path, recipe, count=count, dim=dim)
    best = 0.0
    for candidates in _CANDIDATES:
        curve: list[tuple[int, float]] = []
        for probes in _doubling(lists):
            recipe = replace(recipe, probes=probes, candidates=candidates)
            curve.append((probes, _recall(vectors, index, queries, truth, recipe, per_tile)))
            if curve[-1][1] >= spec.target_recall:
                return replace(recipe, recall=curve[-1][1], curve=curve)
        best = max(best, curve[-1][1])
    raise BadRecipe(
        f"codes of {codes.bytes_per_vector} bytes a vector find {best:.1%} of the ten exact answers to "
        f"{len(queries)} {trial.kind}, not {spec.target_recall:.1%}; give --target-recall "
        f"{math.floor(100 * best) / 100:g}, or more --memory, or more --latency-ms"
    )


def _doubling(lists: int) -> list[int]:
    return [1 << power for power in range(lists.bit_length()) if 1 << power < lists] + [lists]


def _recall(
    vectors: _Half,
    index: Any,
    queries: NDArray[np.float32],
    truth: list[NDArray[np.int64]],
    recipe: SearchRecipe,
    per_tile: int,
) -> float:
    """Share of the right tiles that the lists find."""
    top_k, hits = len(truth[0]), 0
    proposed = propose_tiles(index, queries, recipe, per_tile=per_tile, top_k=top_k)
    for query, tiles, right in zip(queries, proposed, truth, strict=True):
        rows = vectors_of_tiles(tiles, per_tile)
        found, _, _ = best_anchors(*rank(vectors, query, rows, len(rows)), per_tile, top_k)
        hits += len(np.intersect1d(found, right))
    return round(hits / (top_k * len(queries)), 4)
