"""The score of every tile, for answers that add scores up; a search keeps the best few and cannot serve them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import TooManyTiles
from model.common.counted import counted

__all__ = ["MOST_VECTORS", "AllScores", "joined_scores", "score_all"]

MOST_VECTORS = 20_000_000
"""Vectors of tiles that are scored at once: 80 MB for each array of scores, of which an answer holds three."""
_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class AllScores:
    """How well every tile of an area matches the best of some queries.

    Attributes:
        rows: int64 [R] of the index, ascending.
        scores: float32 [R, A] cosine similarity of each of the A anchors, the best over the queries.
        peaks: float32 [Q], the best score of each query anywhere; minus infinity where there is no row.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    peaks: NDArray[np.float32]


def score_all(vectors: NDArray[np.float16], queries: NDArray[np.float32], runs: NDArray[np.int64]) -> AllScores:
    """Compare queries with every vector of some runs of tiles.

    Args:
        vectors: float16 [N, A * D], the vectors of a tile's anchors in a row.
        queries: float32 [Q, D] unit vectors.
        runs: int64 [R, 2] first row and row behind the last, ascending and apart.

    Raises:
        TooManyTiles: the tiles have more than `MOST_VECTORS` vectors.
    """
    dim = queries.shape[1]
    anchors, count = vectors.shape[1] // dim, int((runs[:, 1] - runs[:, 0]).sum())
    if count * anchors > MOST_VECTORS:
        raise TooManyTiles(
            f"the area holds {count:,} tiles with {counted(anchors, 'vector')} each; scores of all tiles are added for "
            f"at most {MOST_VECTORS:,} vectors: search a smaller area"
        )
    scores = np.empty((count, anchors), np.float32)
    peaks, done = np.full(len(queries), -np.inf, np.float32), 0
    step = max(1, _BLOCK_BYTES // (4 * vectors.shape[1]))
    for start, stop in runs.tolist():
        for at in range(start, stop, step):
            block = vectors[at : min(at + step, stop)].astype(np.float32).reshape(-1, dim)
            each = block @ queries.T
            scores[done : done + len(block) // anchors] = each.max(axis=1).reshape(-1, anchors)
            done += len(block) // anchors
            np.maximum(peaks, each.max(axis=0), out=peaks)
    rows = np.concatenate([np.arange(start, stop) for start, stop in runs.tolist()] or [np.empty(0, np.int64)])
    return AllScores(rows, scores, peaks)


def joined_scores(parts: Sequence[AllScores], starts: Sequence[int]) -> AllScores:
    """The scores of several segments as of one; `starts` are the numbers of their first rows."""
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)])
    scores = np.concatenate([part.scores for part in parts])
    return AllScores(rows, scores, np.maximum.reduce([part.peaks for part in parts]))
