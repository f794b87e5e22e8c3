"""Search over headings, for a photo that does not know where it looks.

The panorama is embedded at evenly spaced headings, then again around the best one; each tile keeps the heading at
which it scores best, and that of the best tile is the heading found. A canvas turns by whole columns, so a heading is
a number of columns, a *turn*, and what is reported is what was turned: a multiple of 360 / width degrees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.inputs.specs import COARSE_HEADINGS
from model.inputs.transforms import roll_to_north

__all__ = [
    "COARSE_HEADINGS",
    "Hit",
    "Ranking",
    "coarse_turns",
    "fine_offsets",
    "heading_of",
    "rolled",
    "search_headings",
    "sweep_turns",
]


class Ranking(Protocol):
    """What a search finds for one query: rows of the index, their scores and best anchors, best first."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """int64 [K]."""

    @property
    def scores(self) -> NDArray[np.float32]:
        """float32 [K]."""

    @property
    def anchors(self) -> NDArray[np.int64]:
        """int64 [K]."""


@dataclass(frozen=True)
class Hit:
    """A tile of the index, how well it matches, and at which heading of the photo's centre column and which anchor.

    `shift` is how far east and south of the anchor the point lies that matches, in shares of the tile's side.
    """

    row: int
    score: float
    heading_deg: float
    anchor: int = 0
    shift: tuple[float, float] = (0.0, 0.0)


Find = Callable[[NDArray[np.uint8]], Sequence[Ranking]]
"""Canvases uint8 [B, H, W, 3] -> one ranking each."""


def search_headings(
    canvas: NDArray[np.uint8], find: Find, *, heading_deg: float | None = None, count: int = COARSE_HEADINGS
) -> list[Hit]:
    """The tiles that match a canvas, best first, each at its best heading.

    If `find` gives the K best tiles of a canvas, the first K hits are exactly the K best over all headings.

    Args:
        canvas: [H, W, 3], laid by its heading or, where that is unknown, as if its centre looked north.
        find: embeds and searches a batch of canvases; called once, or twice where the heading is unknown.
        heading_deg: where the photo's centre looks; None tries all headings.
        count: number of headings of the first pass.
    """
    if heading_deg is not None:
        return _best_per_tile(find(canvas[np.newaxis]), [heading_deg % 360.0])
    columns = canvas.shape[1]
    hits: list[Hit] = []

    def try_turns(turns: NDArray[np.int64]) -> NDArray[np.int64] | None:
        headings_deg = [heading_of(turn, columns) for turn in turns[0].tolist()]
        hits[:] = _keep_best([*hits, *_best_per_tile(find(rolled(canvas, turns[0].tolist())), headings_deg)])
        return np.array([round(hits[0].heading_deg * columns / 360.0)]) if hits else None

    sweep_turns(1, columns, try_turns, count=count)
    return hits


def sweep_turns(
    queries: int, columns: int, try_turns: Callable[[NDArray[np.int64]], NDArray[np.int64] | None], *, count: int
) -> None:
    """Which turns are tried, and in which order: evenly spaced ones, then some around each query's best.

    This is the only place that says so: the localizer and the evaluator both search by it.

    Args:
        queries: number of queries that are turned, B.
        columns: of the canvas.
        try_turns: embeds and compares every query at its turns int64 [B, C]; returns the best turn of each, int64 [B],
            or None where there is nothing to compare with, which ends the search. Called once or twice.
        count: number of headings of the first pass.
    """
    coarse = np.array(coarse_turns(count, columns), np.int64)
    best = try_turns(np.tile(coarse, (queries, 1)))
    offsets = np.array(fine_offsets(count, columns), np.int64)
    if best is not None and len(offsets):
        try_turns((best[:, np.newaxis] + offsets) % columns)


def coarse_turns(count: int, columns: int) -> list[int]:
    """Turns evenly spaced from north: `count`, or one for each column where there are fewer columns."""
    return sorted({round(columns * i / count) % columns for i in range(count)})


def fine_offsets(count: int, columns: int) -> list[int]:
    """Up to six turns between one of `count` headings and its two neighbours, relative to it."""
    quarters = (round(columns * quarter / (4 * count)) for quarter in (-3, -2, -1, 1, 2, 3))
    return sorted({offset for offset in quarters if offset})


def heading_of(turn: int, columns: int) -> float:
    """The heading, in [0, 360), of the centre column that a turn makes look north."""
    return turn % columns * 360.0 / columns


def rolled(canvas: NDArray[np.uint8], turns: Sequence[int]) -> NDArray[np.uint8]:
    """The canvas [H, W, 3] as [B, H, W, 3], north-centred for each supposed turn."""
    return np.stack([roll_to_north(canvas, heading_of(turn, canvas.shape[1])) for turn in turns])


def _best_per_tile(rankings: Sequence[Ranking], headings_deg: Sequence[float]) -> list[Hit]:
    """Merge rankings[heading]: every tile once, at the heading where it scores best; best first, ties by row."""
    pairs = zip(rankings, headings_deg, strict=True)
    return _keep_best(
        Hit(int(row), float(score), heading, int(anchor))
        for ranking, heading in pairs
        for row, score, anchor in zip(ranking.rows, ranking.scores, ranking.anchors, strict=True)
    )


def _keep_best(hits: Iterable[Hit]) -> list[Hit]:
    best: dict[int, Hit] = {}
    for hit in hits:
        if hit.row not in best or hit.score > best[hit.row].score:
            best[hit.row] = hit
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.row))
