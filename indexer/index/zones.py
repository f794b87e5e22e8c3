"""Which rows a search looks at, and what it answers.

Rows lie along a space-filling curve, so those of a region are a modest number of contiguous runs. A zone map, the box
around every thousand rows, rules most of the others out without looking at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.tiles.region import Region
from indexer.tiles.tile_table import TileTable

__all__ = ["SearchResult", "ZoneMap", "best_anchors", "joined_results", "nothing_found"]

_BLOCK_ROWS = 1024
_SLACK_DEG = 1e-9
"""Widening of the blocks' boxes, a tenth of a millimetre, so that rounding never rules out a tile."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SearchResult:
    """The answer to one query.

    Attributes:
        rows: int64 [K] rows of the index, best first, equal scores by ascending row.
        scores: float32 [K] cosine similarity.
        anchors: int64 [K], the anchor of each tile that scores so.
        exact: whether every row that could count was compared; False where an approximate index chose them.
        scanned: number of rows compared.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    anchors: NDArray[np.int64]
    exact: bool
    scanned: int


def best_anchors(
    scores: NDArray[np.float32], vectors: NDArray[np.int64], per_tile: int, top_k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """The best vectors as tiles, each once: rows, scores, anchors; best first, at most `top_k`.

    Args:
        scores: float32 [V], best first.
        vectors: int64 [V] numbers of vectors, `per_tile` in a row of each tile.
        per_tile: number of anchors.
        top_k: how many tiles.
    """
    if per_tile == 1:
        return vectors[:top_k], scores[:top_k], np.zeros(min(top_k, len(vectors)), np.int64)
    rows, anchors = np.divmod(vectors, per_tile)
    first = np.sort(np.unique(rows, return_index=True)[1])
    first = first[np.lexsort((rows[first], -scores[first]))][:top_k]
    return rows[first], scores[first], anchors[first]


def nothing_found() -> SearchResult:
    """The answer of a segment that holds nothing that counts."""
    none = np.empty(0, np.int64)
    return SearchResult(none, np.empty(0, np.float32), none, exact=True, scanned=0)


def joined_results(parts: Sequence[SearchResult], starts: Sequence[int], top_k: int) -> SearchResult:
    """The answers of several segments to one query as one; `starts` are the numbers of their first rows."""
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)])
    scores = np.concatenate([part.scores for part in parts])
    anchors = np.concatenate([part.anchors for part in parts])
    best = np.lexsort((rows, -scores))[:top_k]
    return SearchResult(
        rows[best],
        scores[best],
        anchors[best],
        exact=all(part.exact for part in parts),
        scanned=sum(part.scanned for part in parts),
    )


class ZoneMap:
    """Finds the rows whose tiles touch a region, but those that were removed."""

    def __init__(self, tiles: TileTable, removed: NDArray[np.bool_] | None = None) -> None:
        self._removed = removed
        self._all = np.array([[0, len(tiles)]], np.int64) if removed is None else _runs(np.flatnonzero(~removed))
        self._edges = (tiles.west, tiles.south, tiles.east, tiles.north)
        self._count = len(tiles)
        self._blocks = _block_boxes(*self._edges)

    def runs(self, region: Region | None) -> NDArray[np.int64]:
        """[R, 2] first row and row behind the last of the tiles that touch the region, ascending."""
        if region is None:
            return self._all
        blocks = np.flatnonzero(region.mask(*self._blocks))
        inside = region.holds(*(edge[blocks] for edge in self._blocks))
        rows, border = self._rows_of(blocks[inside]), self._rows_of(blocks[~inside])
        border = border[region.mask(*(edge[border] for edge in self._edges))]
        rows = np.sort(np.concatenate([rows, border])) if len(rows) else border
        return _runs(rows if self._removed is None else rows[~self._removed[rows]])

    def _rows_of(self, blocks: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = (blocks[:, None] * _BLOCK_ROWS + np.arange(_BLOCK_ROWS)).ravel()
        return rows[rows < self._count]


def _block_boxes(west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> tuple[_Floats, ...]:
    """Edges of the box around each block of rows; a tile across the antimeridian opens it to all longitudes."""
    starts = np.arange(0, len(west), _BLOCK_ROWS)
    crossing = west > east
    low = np.minimum.reduceat(np.where(crossing, -180.0, west), starts) - _SLACK_DEG
    high = np.maximum.reduceat(np.where(crossing, 180.0, east), starts) + _SLACK_DEG
    bottom = np.maximum(np.minimum.reduceat(south, starts) - _SLACK_DEG, -90.0)
    top = np.minimum(np.maximum.reduceat(north, starts) + _SLACK_DEG, 90.0)
    return np.maximum(low, -180.0), bottom, np.minimum(high, 180.0), top


def _runs(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ascending row numbers as [R, 2] runs."""
    if not len(rows):
        return np.empty((0, 2), np.int64)
    breaks = np.flatnonzero(np.diff(rows) != 1)
    starts = rows[np.append(0, breaks + 1)]
    stops = rows[np.append(breaks, len(rows) - 1)] + 1
    return np.stack([starts, stops], axis=1)
