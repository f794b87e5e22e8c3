"""Exact search over the float16 memory map, without copying it.

FAISS scans float16 codes fastest, and its scalar quantizer can look at memory that is not its own; so long runs of
rows are searched in place, on several threads, and short runs are gathered first. FAISS leaves open which of several
equal rows it returns, so every row within rounding of the last place is rescored in float64: best score first, then
the lowest row, the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import IndexDamaged
from indexer.common.optional import load_faiss
from model.common.processors import available_processors

__all__ = ["ROUNDING", "SPARE", "ExactScan", "Found", "Rows", "expand_runs", "rank"]

_Half = NDArray[np.float16]
_Floats = NDArray[np.float32]
_Rows = NDArray[np.int64]
Found = tuple[_Floats, _Rows]
"""Scores and numbers of rows."""

SPARE = 16
"""Candidates beyond top_k, so that a tie at the last place is seen."""
ROUNDING = 1e-5
"""More than the float32 sum of products of unit vectors can be off; measured below 1e-6 up to 2048 dimensions."""
_BEYOND_ONE = 1.01
"""No two unit vectors score more; float16 keeps lengths within a thousandth."""
_GATHER_BELOW = 1024
"""Runs of fewer rows are copied together: a view costs as much as scanning about this many rows."""
_PIECE_BYTES = 16 << 20
"""A thread's portion; below this, dividing the work costs more than it gains."""


class ExactScan:
    """Scores of queries against rows of a memory-mapped matrix [N, D] of unit vectors.

    Thread-safe. Reads the rows in place; only short runs are copied.
    """

    def __init__(self, vectors: _Half, *, threads: int | None = None) -> None:
        self.vectors = vectors
        self._threads = threads or available_processors()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="scan")  # starts threads when needed

    def search(self, queries: _Floats, runs: NDArray[np.int64], *, top_k: int) -> list[Found]:
        """The best rows of each query.

        Args:
            queries: [Q, D] unit vectors.
            runs: [R, 2] first row and row behind the last, ascending and apart.
            top_k: how many; fewer come back where the runs hold fewer rows.

        Returns:
            For each query scores and rows, best first, equal scores by ascending row.
        """
        found = self.candidates(queries, runs, top_k=top_k)
        return [
            rank(self.vectors, query, _contenders([piece[number] for piece in found], top_k), top_k)
            for number, query in enumerate(queries)
        ]

    def candidates(self, queries: _Floats, runs: NDArray[np.int64], *, top_k: int) -> list[list[Found]]:
        """For each part of the runs, and each query, the rows that may be among its best: scores are approximate.

        They are the `top_k` best of the part, a few more, and all that tie with the last place within rounding.
        """
        jobs = [partial(_candidates, rows, ids, queries, top_k) for rows, ids in self._pieces(runs)]
        return [job() for job in jobs] if len(jobs) < 2 else list(self._pool.map(_call, jobs))

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()

    def _pieces(self, runs: NDArray[np.int64]) -> list[tuple[_Half, _Rows | int]]:
        """(vectors, their row numbers or the first of them) whose scan is one thread's job."""
        most = max(1, _PIECE_BYTES // (2 * self.vectors.shape[1]))
        lengths = runs[:, 1] - runs[:, 0]
        short = runs[lengths < _GATHER_BELOW]
        rows = expand_runs(short)
        pieces: list[tuple[_Half, _Rows | int]] = [
            (self.vectors[part], part) for part in np.split(rows, range(most, len(rows), most)) if len(part)
        ]
        for start, stop in runs[lengths >= _GATHER_BELOW].tolist():
            share = min(most, -(-(stop - start) // self._threads)) if stop - start > most else stop - start
            pieces += [(self.vectors[at : min(at + share, stop)], at) for at in range(start, stop, share)]
        return pieces


class Rows(Protocol):
    """A matrix [N, D] of which some rows are wanted: an array, or a file."""

    def __getitem__(self, rows: _Rows, /) -> _Half:
        """float16 [R, D] of rows int64 [R], ascending."""


def rank(vectors: Rows, query: _Floats, rows: _Rows, top_k: int) -> Found:
    """(scores, rows) of the best of some rows, rescored in float64: best first, equal scores by ascending row.

    Raises:
        IndexDamaged: a row is no unit vector, as its score shows.
    """
    rows = np.unique(rows)
    exact = vectors[rows].astype(np.float64) @ query.astype(np.float64)
    length = float(np.linalg.norm(query.astype(np.float64)))
    wrong = ~(np.abs(exact) <= _BEYOND_ONE * length)  # true for NaN too
    if wrong.any():
        first = int(np.argmax(wrong))
        raise IndexDamaged(
            f"vector {rows[first]} of the index scores {exact[first]:g}, which no unit vector can; "
            "restore embeddings.npy or rebuild the index"
        )
    scores = np.clip(exact, -length, length).astype(np.float32)
    best = np.lexsort((rows, -scores))[:top_k]
    return scores[best], rows[best]


def _call(job: Callable[[], list[Found]]) -> list[Found]:
    return job()


def _candidates(vectors: _Half, ids: _Rows | int, queries: _Floats, top_k: int) -> list[Found]:
    """For each query FAISS's scores and the rows that may be among its best: a few, and all that tie with the last."""
    view = _view(vectors)
    wanted = min(len(vectors), top_k + SPARE)
    scores, places = view.search(queries, wanted)
    found: list[Found] = list(zip(scores, places, strict=True))
    last = scores[:, min(top_k, wanted) - 1] - 2 * ROUNDING
    for number in np.flatnonzero((scores[:, -1] >= last) & (wanted < len(vectors))):
        # The slow way, for indexes full of equal tiles: every row that scores more.
        _, above, where = view.range_search(queries[number : number + 1], float(last[number]))
        found[number] = above, where
    found = [(score[place >= 0], place[place >= 0]) for score, place in found]  # -1 stands for rows that are NaN
    return [(score, place + ids if isinstance(ids, int) else ids[place]) for score, place in found]


def _contenders(pieces: list[Found], top_k: int) -> _Rows:
    """The rows of all pieces that may be among the best, rounding considered."""
    if not pieces:
        return np.empty(0, np.int64)
    scores, rows = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    if len(rows) <= top_k:
        return rows
    least = np.partition(scores, len(scores) - top_k)[len(scores) - top_k] - 2 * ROUNDING
    contenders: _Rows = rows[scores >= least]
    return contenders


def _view(vectors: _Half) -> Any:
    """A FAISS index whose codes are these rows, in place; use it only while they live."""
    faiss = load_faiss()
    faiss.omp_set_num_threads(1)  # a setting of the calling thread: the pieces are what runs in parallel
    count, dim = vectors.shape
    index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    codes = vectors.view(np.uint8).reshape(-1)  # rows are contiguous, so this is the same memory
    index.codes = faiss.MaybeOwnedVectorUInt8.create_view(
        faiss.swig_ptr(codes), codes.nbytes, faiss.MaybeOwnedVectorUInt8().owner
    )
    index.ntotal = count
    index.is_trained = True
    return index


def expand_runs(runs: NDArray[np.int64]) -> _Rows:
    """Every row number of [R, 2] runs."""
    lengths = runs[:, 1] - runs[:, 0]
    before = np.cumsum(lengths) - lengths
    return np.repeat(runs[:, 0] - before, lengths) + np.arange(int(lengths.sum()))
