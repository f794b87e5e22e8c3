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
_FEWER_CANDIDATES = (8, 16)
_MOST_CANDIDATES = (32, 128)
"""Rows compared exactly for an answer: lists are tried with the first of the most, and with the second where all lists
and the first find too little; then fewer are taken where they do."""
_FLOAT_NOISE = 1e-9

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
    """The fewest lists visited, then the fewest candidates compared, that reach the recall by more than luck."""
    queries, truth = trial.queries, _truth(vectors, trial.queries, per_tile)
    recipe = SearchRecipe(
        kind="ivf",
        lists=lists,
        codes=codes.factory,
        target=spec.target_recall,
        trial=f"{len(queries)} {trial.kind}",
        asked=spec.asked,
    )
    index = load_approximate(path, recipe, count=len(vectors), dim=vectors.shape[1])

    def recalls_of(probes: int, candidates: int) -> NDArray[np.float64]:
        one = replace(recipe, probes=probes, candidates=candidates)
        return _recalls(vectors, index, queries, truth, one, per_tile)

    best = 0.0
    for candidates in _MOST_CANDIDATES:
        curve: list[tuple[int, float]] = []
        for probes in _steps(lists):
            recalls = recalls_of(probes, candidates)
            curve.append((probes, _mean(recalls)))
            if _reaches(recalls, spec.target_recall) or _ends(curve, spec.target_recall, lists):
                for fewer in _FEWER_CANDIDATES:
                    recalls = recalls_of(probes, fewer)
                    if _reaches(recalls, spec.target_recall) or _mean(recalls) == curve[-1][1]:
                        candidates, curve[-1] = fewer, (probes, _mean(recalls))
                        break
                return replace(recipe, probes=probes, candidates=candidates, recall=curve[-1][1], curve=curve)
        best = max(best, curve[-1][1])
    raise BadRecipe(
        f"codes of {codes.bytes_per_vector} bytes a vector find {best:.1%} of the ten exact answers to "
        f"{len(queries)} {trial.kind}, not {spec.target_recall:.1%}; give --target-recall "
        f"{math.floor(100 * best) / 100:g}, or more --memory, or more --latency-ms"
    )


def _truth(vectors: _Half, queries: NDArray[np.float32], per_tile: int) -> list[NDArray[np.int64]]:
    """The best tiles of each query, by comparing all."""
    top_k = min(_TOP, len(vectors) // per_tile)
    scan = ExactScan(vectors)
    exact = best_tiles(scan, queries, np.array([[0, len(vectors)]]), per_tile=per_tile, top_k=top_k)
    scan.close()
    return [best_anchors(*found, per_tile, top_k)[0] for found in exact]


def _steps(lists: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, ... and all lists."""
    powers = [1 << power for power in range(lists.bit_length())]
    return [step for step in sorted({*powers, *(3 * power for power in powers)}) if step < lists] + [lists]


def _mean(recalls: NDArray[np.float64]) -> float:
    return round(float(recalls.mean()), 4)


def _reaches(recalls: NDArray[np.float64], target: float) -> bool:
    """Whether the recalls of single queries speak for the target.

    The lower end of Wilson's interval at one standard error must reach it, or be that of a sample without a miss: where
    a knob stops as soon as the mean of a sample does, other samples find less (decision 0036).

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    mean, count = float(recalls.mean()), len(recalls)
    middle = mean + 1 / (2 * count)
    error = math.sqrt(mean * (1 - mean) / count + 1 / (4 * count**2))
    lower, without_a_miss = (middle - error) / (1 + 1 / count), 1 / (1 + 1 / count)
    return lower >= min(target, without_a_miss) - _FLOAT_NOISE


def _ends(curve: list[tuple[int, float]], target: float, lists: int) -> bool:
    """Whether the mean reached the target and more lists would add nothing: none are left, or twice as many did not."""
    probes, recall = curve[-1]
    return recall >= target and (probes == lists or any(2 * one <= probes and had == recall for one, had in curve))


def _recalls(
    vectors: _Half,
    index: Any,
    queries: NDArray[np.float32],
    truth: list[NDArray[np.int64]],
    recipe: SearchRecipe,
    per_tile: int,
) -> NDArray[np.float64]:
    """Share of the right tiles that the lists find, for each query."""
    top_k, shares = len(truth[0]), []
    proposed = propose_tiles(index, queries, recipe, per_tile=per_tile, top_k=top_k)
    for query, tiles, right in zip(queries, proposed, truth, strict=True):
        rows = vectors_of_tiles(tiles, per_tile)
        found, _, _ = best_anchors(*rank(vectors, query, rows, len(rows)), per_tile, top_k)
        shares.append(len(np.intersect1d(found, right)) / top_k)
    return np.array(shares)
