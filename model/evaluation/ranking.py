"""From scores to per-query results: every query's references are ranked by each reading of what is right.

Queries come in blocks and a block's scores are all that is in memory, so 92,802 queries can be asked of as many tiles.
Loads no torch: stored embeddings are scored again in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.evaluation.ground_truth import GroundTruth, RadiusIndex
from model.evaluation.metrics import NEVER, Scoring, average_precisions, rank_interval
from model.evaluation.results import QueryResults

__all__ = ["BLOCK_BYTES", "EmbeddedQueries", "Ranker", "best_over_copies", "queries_at_once", "rank_queries"]


@dataclass(frozen=True)
class EmbeddedQueries:
    """A block of embedded queries.

    Attributes:
        numbers: int64 [B], of the queries in the data set.
        vectors: [B, C, D] unit vectors of C copies, one for each heading tried.
        headings_deg: float64 [B, C], the heading that each copy supposes.
        view_deg: float64 [B], direction of the middle of what is shown.
        true_deg: float64 [B], where the centre of the canvas looks.
    """

    numbers: NDArray[np.int64]
    vectors: NDArray[np.floating[Any]]
    headings_deg: NDArray[np.float64]
    view_deg: NDArray[np.float64]
    true_deg: NDArray[np.float64]


class Ranker:
    """Ranks the references of a data set by the rules of a scoring.

    Raises:
        BadConfig: recall within a radius is asked for, and a coordinate is not known.
    """

    def __init__(self, truth: GroundTruth, scoring: Scoring) -> None:
        self._truth, self._scoring = truth, scoring
        self._dropped = truth.distractors if scoring.distractors == "drop" else np.empty(0, np.int64)
        self._nearby = RadiusIndex(truth) if scoring.within_m else None

    def query_results(self, scores: NDArray[np.float32], numbers: NDArray[np.int64]) -> QueryResults:
        """What becomes of some queries.

        Args:
            scores: float32 [B, R] of all references; those of dropped ones are overwritten.
            numbers: int64 [B] of the queries in the data set.
        """
        scores[:, self._dropped] = -np.inf
        truth = self._truth
        stands = [rank_interval(row, truth.positives[number]) for row, number in zip(scores, numbers, strict=True)]
        hits = [self._hits(row, number) for row, number in zip(scores, numbers, strict=True)]
        within = [self._within(row, number) for row, number in zip(scores, numbers, strict=True)]
        return QueryResults(
            numbers=numbers,
            tops=np.array([stand.top for stand in stands], np.int64),
            intervals=np.stack([stand.interval for stand in stands]),
            precisions=np.stack([average_precisions(stand.before) for stand in stands]),
            hits=np.array(hits, np.int64) if truth.semi_positives else None,
            within=np.array(within, np.int64) if self._nearby is not None else None,
        )

    def _hits(self, scores: NDArray[np.float32], number: int) -> list[NDArray[np.int64]]:
        """VIGOR's hit rate as the intervals of its two readings.

        By the prose the reference ranked first covers the place: semi-positives are right, too. By the published code
        nothing outranks the positive once they are dropped. The second implies the first.
        """
        if not self._truth.semi_positives:
            return []
        positives, covering = self._truth.positives[number], self._truth.semi_positives[number]
        prose = rank_interval(scores, np.concatenate([positives, covering]))
        return [prose.interval, rank_interval(scores, positives, covering).interval]

    def _within(self, scores: NDArray[np.float32], number: int) -> list[NDArray[np.int64]]:
        if self._nearby is None:
            return []
        intervals = []
        for radius_m in self._scoring.within_m:
            near = self._nearby.rows(number, radius_m)
            near = near[~np.isin(near, self._dropped)]
            intervals.append(rank_interval(scores, near).interval if len(near) else np.full(2, NEVER))
        return intervals


def rank_queries(
    blocks: Iterable[EmbeddedQueries], references: NDArray[np.floating[Any]], truth: GroundTruth, scoring: Scoring
) -> QueryResults:
    """Score blocks of queries against the gallery [R, D] and rank them."""
    ranker = Ranker(truth, scoring)
    parts = [_rank_block(block, references, ranker) for block in blocks]
    return QueryResults.joined(parts).located(truth)


def _rank_block(block: EmbeddedQueries, references: NDArray[np.floating[Any]], ranker: Ranker) -> QueryResults:
    scores, peaks = best_over_copies(block.vectors, references)
    query_results = ranker.query_results(scores, block.numbers)
    found = block.headings_deg[np.arange(len(scores)), peaks.argmax(axis=1)]
    searched = block.vectors.shape[1] > 1
    return query_results.seen(block.view_deg, block.true_deg, found if searched else None)


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
