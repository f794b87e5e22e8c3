"""Scores of queries against a gallery, some queries and some references at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_BYTES", "best_over_copies", "queries_at_once"]

BLOCK_BYTES = 64 << 20
"""Size of a block of float32 scores."""

_PIECE_BYTES = 16 << 20
"""Size of a block's products, all copies apart, with some of the references; those are turned to float32 meanwhile."""

_REFERENCES = 8192
"""The most references of a piece."""


def queries_at_once(references: int) -> int:
    """How many queries' scores against a whole gallery fit in a block, at least 1."""
    return max(1, BLOCK_BYTES // (4 * references))


def best_over_copies(
    vectors: NDArray[np.floating[Any]], references: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The best score of each query against each reference over its copies and the reference's anchors.

    Memory is little more than that of the scores; memory maps of any precision are read piece by piece.

    Args:
        vectors: [B, C, D], C copies of each query.
        references: [R, A * D], the vectors of a reference's A anchors in a row.

    Returns:
        scores float32 [B, R], and the best of each copy, peaks float32 [B, C].
    """
    count, copies, dim = vectors.shape
    rows = np.asarray(vectors, np.float32).reshape(-1, dim)
    scores = np.empty((count, len(references)), np.float32)
    peaks = np.full((count, copies), -np.inf, np.float32)
    anchors = references.shape[1] // dim
    step = max(1, min(_REFERENCES, _PIECE_BYTES // (4 * len(rows) * anchors)))
    for start in range(0, len(references), step):
        piece = np.asarray(references[start : start + step], np.float32)
        products = rows @ piece.reshape(-1, dim).T
        if anchors > 1:
            products = products.reshape(len(rows), -1, anchors).max(axis=2)
        products = products.reshape(count, copies, -1)
        products.max(axis=1, out=scores[:, start : start + step])  # a NaN stays one, and counts as a rival
        np.fmax(peaks, products.max(axis=2), out=peaks)
    return scores, peaks
