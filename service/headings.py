"""Search over headings, for a photo that does not know where it looks.

The panorama is embedded at evenly spaced headings, then again around the best one; each tile keeps the heading at
which it scores best, and that of the best tile is the heading found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.transforms import roll_to_north

__all__ = ["Hit", "Ranking", "best_per_tile", "coarse_headings", "fine_headings", "rolled", "search_headings"]


class Ranking(Protocol):
    """What a search finds for one query: rows of the index and their scores, best first."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """int64 [K]."""

    @property
    def scores(self) -> NDArray[np.float32]:
        """float32 [K]."""


@dataclass(frozen=True)
class Hit:
    """A tile of the index, how well it matches, and at which heading of the photo's centre column."""

    row: int
    score: float
    heading_deg: float


Find = Callable[[NDArray[np.uint8]], Sequence[Ranking]]
"""Canvases uint8 [B, H, W, 3] -> one ranking each."""


def search_headings(canvas: NDArray[np.uint8], find: Find, *, count: int) -> list[Hit]:
    """The tiles that match a canvas [H, W, 3] of unknown heading, best first, each at its best heading.

    Args:
        canvas: the panorama laid as if its centre looked north.
        find: embeds and searches a batch of canvases.
        count: number of headings of the first pass.
    """
    coarse = coarse_headings(count)
    hits = best_per_tile(find(rolled(canvas, coarse)), coarse)
    if not hits:
        return hits
    fine = fine_headings(hits[0].heading_deg, step_deg=360.0 / count)
    again = best_per_tile(find(rolled(canvas, fine)), fine)
    return _keep_best([*hits, *again])


def coarse_headings(count: int) -> list[float]:
    """`count` headings, evenly spaced from north, in degrees."""
    return [360.0 * i / count for i in range(count)]


def fine_headings(around_deg: float, *, step_deg: float) -> list[float]:
    """Six headings between one heading and its neighbours `step_deg` away."""
    return [(around_deg + quarters * step_deg / 4) % 360.0 for quarters in (-3, -2, -1, 1, 2, 3)]


def rolled(canvas: NDArray[np.uint8], headings_deg: Sequence[float]) -> NDArray[np.uint8]:
    """The canvas [H, W, 3] as [B, H, W, 3], north-centred for each supposed heading."""
    return np.stack([roll_to_north(canvas, heading) for heading in headings_deg])


def best_per_tile(rankings: Sequence[Ranking], headings_deg: Sequence[float]) -> list[Hit]:
    """Merge rankings[heading]: every tile once, at the heading where it scores best; best first, ties by row."""
    pairs = zip(rankings, headings_deg, strict=True)
    return _keep_best(
        Hit(int(row), float(score), heading)
        for ranking, heading in pairs
        for row, score in zip(ranking.rows, ranking.scores, strict=True)
    )


def _keep_best(hits: Iterable[Hit]) -> list[Hit]:
    best: dict[int, Hit] = {}
    for hit in hits:
        if hit.row not in best or hit.score > best[hit.row].score:
            best[hit.row] = hit
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.row))
