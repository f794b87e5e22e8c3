"""Retrieval metrics: the rank of each query's positive, recall at k, hit rates; ties never in the model's favour.

All take a block of queries' scores against the whole gallery, `scores[query, reference]`; the caller bounds its size
(`BLOCK_BYTES`), so that a whole score matrix is never in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_BYTES", "TIE", "covers_place", "positive_ranks", "recall_at", "recall_table", "top_rows"]

TIE = 1e-6
"""Scores closer than this are tied: float32 sums of one and the same product differ by less."""

BLOCK_BYTES = 64 << 20
"""Size of a block of float32 scores."""

_Scores = NDArray[np.float32]
_Rows = NDArray[np.int64]


def positive_ranks(scores: _Scores, positives: _Rows) -> _Rows:
    """The rank of each query's positive among all references, 0 for the best.

    The rank counts references that score at least as high as the positive (less `TIE`), so a model with constant
    features ranks every positive last, and so does one whose scores are NaN.

    Args:
        scores: [B, R]; where a query has several copies, the best of each reference over them.
        positives: [B] row of each query's positive.
    """
    own = np.take_along_axis(scores, positives[:, None], axis=1)
    ranks: _Rows = (~(scores < own - TIE)).sum(axis=1) - 1  # not `>=`: a NaN must not count as a hit
    return ranks


def top_rows(scores: _Scores, positives: _Rows, ranks: _Rows) -> _Rows:
    """[B] the reference ranked first: the positive where its rank is 0, else its best rival."""
    rivals = scores.copy()
    np.put_along_axis(rivals, positives[:, None], np.float32(-np.inf), axis=1)
    return np.where(ranks == 0, positives, rivals.argmax(axis=1))


def covers_place(scores: _Scores, positive: int, semi_positives: Sequence[int]) -> tuple[bool, bool]:
    """Whether one query's scores [R] are a hit, by two readings of VIGOR's hit rate.

    Args:
        scores: of one query.
        positive: row of its positive.
        semi_positives: rows of the other references that cover its place.

    Returns:
        Whether the reference ranked first covers the place, as the paper says; and whether no reference that does not
        cover it outranks the positive, as the published code counts. The second implies the first.
    """
    covering = [positive, *semi_positives]
    rivals = np.delete(scores, covering)
    by_text, by_code = ((rivals < best - TIE).all() for best in (scores[covering].max(), scores[positive]))
    return bool(by_text), bool(by_code)


def recall_at(ranks: _Rows, k: int) -> float:
    """Share of queries, in percent, whose positive is among the first k."""
    return float((ranks < k).mean() * 100.0)


def recall_table(ranks: _Rows, gallery: int, ks: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
    """Recall at each k and at 1 % of the gallery (rounded down, at least 1), in percent."""
    table = {f"recall@{k}": recall_at(ranks, k) for k in ks}
    table["recall@1%"] = recall_at(ranks, max(1, gallery // 100))
    return table
