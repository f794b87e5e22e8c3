"""Anchors: the points of a tile around which it is described, each by a vector of its own.

A camera may stand anywhere in a tile's middle half. A network that sees the tile from its centre must then match views
that the camera does not have. So a tile can be moved until an anchor is its centre, what lies beyond its edges turning
neutral, and described again; a query's score is the best over the anchors, and the best one tells where in the tile the
camera stands. Anchors are the middles of n x n equal cells of the middle half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEUTRAL", "REACH", "anchor_points", "anchor_px", "around_anchors", "recentre"]

NEUTRAL = 128
"""Grey of picture parts that nothing covers."""

REACH = 0.25
"""How far a camera may stand from its tile's centre along each axis, as a share of the tile's side."""

_Pixels = NDArray[np.uint8]


def anchor_points(per_axis: int) -> list[tuple[float, float]]:
    """(east, south) of all anchors from the tile's centre, in shares of its side; row by row from the north-west.

    Example:
        >>> anchor_points(1), anchor_points(2)[0]
        ([(0.0, 0.0)], (-0.125, -0.125))
    """
    steps = [REACH * ((2 * step + 1) / per_axis - 1.0) for step in range(per_axis)]
    return [(east, south) for south, east in product(steps, steps)]


def anchor_px(point: tuple[float, float], tile_px: int) -> tuple[int, int]:
    """An anchor in whole pixels of a tile of that side, (east, south)."""
    return round(point[0] * tile_px), round(point[1] * tile_px)


def recentre(tiles: _Pixels, east: int, south: int) -> _Pixels:
    """Tiles [..., S, S, 3] moved so that the point (east, south) pixels from their centre is their centre."""
    if not (east or south):
        return tiles
    moved = np.full_like(tiles, NEUTRAL)
    rows, from_rows = _overlap(south, tiles.shape[-3])
    columns, from_columns = _overlap(east, tiles.shape[-2])
    moved[..., rows, columns, :] = tiles[..., from_rows, from_columns, :]
    return moved


def _overlap(move: int, side: int) -> tuple[slice, slice]:
    """Where the kept part of an axis goes, and where it comes from."""
    kept = max(0, side - abs(move))
    return (slice(0, kept), slice(side - kept, side)) if move > 0 else (slice(side - kept, side), slice(0, kept))


def around_anchors(
    tiles: _Pixels, points: Sequence[tuple[float, float]], encode: Callable[[_Pixels], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Tiles [B, S, S, 3] described around each anchor: [B, A * dim], the vectors of a tile's anchors in a row."""
    side_px = tiles.shape[-2]
    return np.concatenate([encode(recentre(tiles, *anchor_px(point, side_px))) for point in points], axis=1)
