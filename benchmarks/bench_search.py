"""Milliseconds of an exact search over float16 vectors, against the memory's bandwidth and against NumPy.

The limit is the time in which BLAS can read the same bytes once, on as many threads. The variants take turns; medians
are printed.

    python -m benchmarks.bench_search
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import turns, write_record
from indexer.index.exact_search import ExactScan

_TOP_K = 10
_CHUNK_ROWS = 4096


def main() -> None:
    """Measure, print a table, write `results/search.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="numbers of vectors")
    parser.add_argument("--dim", type=int, default=512, help="length of a vector (default 512)")
    parser.add_argument("--rounds", type=int, default=9, help="turns that each variant takes (default 9)")
    args = parser.parse_args()
    result: dict[str, Any] = {"dim": args.dim, "top_k": _TOP_K, "threads": os.cpu_count()}
    for size in args.sizes:
        with tempfile.TemporaryDirectory() as scratch:
            path = write_vectors(Path(scratch) / "embeddings.npy", size, args.dim)
            seconds = turns(variants(np.load(path, mmap_mode="r")), args.rounds)
        medians = {name: statistics.median(times) * 1e3 for name, times in seconds.items()}
        limit = medians["reading the bytes once"]
        result[f"{size} vectors"] = {
            "ms": {name: round(ms, 3) for name, ms in medians.items()},
            "times_the_limit": {name: round(ms / limit, 2) for name, ms in medians.items()},
        }
        for name, ms in medians.items():
            print(f"{size:9,} vectors  {name:34} {ms:10.3f} ms  {ms / limit:7.2f} x the limit")
    print(write_record("search", result))


def write_vectors(path: Path, count: int, dim: int) -> Path:
    """Random unit vectors, a part at a time."""
    rng = np.random.default_rng(0)
    vectors = np.lib.format.open_memmap(path, "w+", np.float16, (count, dim))
    for start in range(0, count, _CHUNK_ROWS):
        part = rng.standard_normal((min(_CHUNK_ROWS, count - start), dim), dtype=np.float32)
        vectors[start : start + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    vectors.flush()
    return path


def variants(vectors: NDArray[np.float16]) -> dict[str, Callable[[], object]]:
    """One query through each way of searching, and 32 queries through ours."""
    count, dim = vectors.shape
    queries = np.random.default_rng(1).standard_normal((32, dim)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    everything, scan, one = np.array([[0, count]]), ExactScan(vectors), ExactScan(vectors, threads=1)
    return {
        "reading the bytes once": lambda: read_once(vectors),
        "exact scan": lambda: scan.search(queries[:1], everything, top_k=_TOP_K),
        "exact scan, one thread": lambda: one.search(queries[:1], everything, top_k=_TOP_K),
        "exact scan of 32 queries": lambda: scan.search(queries, everything, top_k=_TOP_K),
        "NumPy, chunks turned to float32": lambda: numpy_search(vectors, queries[0]),
    }


_POOL = ThreadPoolExecutor(os.cpu_count())


def read_once(vectors: NDArray[np.float16]) -> float:
    """Sum of squares of the bytes seen as float32, each thread its part: bound by memory, not by arithmetic."""
    words = vectors.view(np.float32).reshape(-1)
    return sum(_POOL.map(lambda part: float(np.dot(part, part)), np.array_split(words, os.cpu_count() or 1)))


def numpy_search(vectors: NDArray[np.float16], query: NDArray[np.float32]) -> NDArray[np.int64]:
    """Scores by chunks, then a partial sort."""
    starts = range(0, len(vectors), _CHUNK_ROWS)
    scores = np.concatenate([vectors[start : start + _CHUNK_ROWS].astype(np.float32) @ query for start in starts])
    best = np.argpartition(-scores, _TOP_K)[:_TOP_K]
    return best[np.argsort(-scores[best])]


if __name__ == "__main__":
    main()
