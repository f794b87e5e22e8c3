"""Retrieval metrics: the rank of each query's positive, recall at k, with ties never in the model's favour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["TIE", "positive_ranks", "recall_at", "recall_table"]

TIE = 1e-6
"""Scores closer than this are tied: float32 sums of one and the same product differ by less."""

_BLOCK_BYTES = 64 << 20


def positive_ranks(
    queries: NDArray[np.float32], references: NDArray[np.float32], positives: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The rank of each query's positive among all references, 0 for the best.

    The rank counts references that score at least as high as the positive (less `TIE`), so a model with constant
    features ranks every positive last, and so does one whose scores are NaN. Works in blocks of queries: the score
    matrix is never whole in memory.

    Args:
        queries: [Q, D] unit vectors.
        references: [R, D] unit vectors.
        positives: [Q] row in `references` of each query's positive.
    """
    ranks = np.empty(len(queries), np.int64)
    block = max(1, _BLOCK_BYTES // (4 * max(1, len(references))))
    for start in range(0, len(queries), block):
        rows = slice(start, start + block)
        scores = queries[rows] @ references.T  # scores[query, reference]
        own = np.take_along_axis(scores, positives[rows, None], axis=1)
        ranks[rows] = (~(scores < own - TIE)).sum(axis=1) - 1  # not `>=`: a NaN must not count as a hit
    return ranks


def recall_at(ranks: NDArray[np.int64], k: int) -> float:
    """Share of queries, in percent, whose positive is among the first k."""
    return float((ranks < k).mean() * 100.0)


def recall_table(ranks: NDArray[np.int64], gallery: int, ks: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
    """Recall at each k and at 1 % of the gallery (rounded down, at least 1), in percent."""
    table = {f"recall@{k}": recall_at(ranks, k) for k in ks}
    table["recall@1%"] = recall_at(ranks, max(1, gallery // 100))
    return table
