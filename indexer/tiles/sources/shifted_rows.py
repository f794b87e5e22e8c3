"""Whether all tiles lie one further than their source says, as those do whose numbers are counted from 1."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from indexer.tiles.grid import MERCATOR_HALF_M, mercator_m
from model.common.geo import Bounds

__all__ = ["shift_of_tiles"]

_ROUNDED = 0.01
"""Of a tile's side."""
_COARSE = 0.25
"""Of a tile's side by which the last digit of a statement may round it; coarser ones do not tell one tile."""
_WORDS = {-1: ("west", "north"), 1: ("east", "south")}

_Ints = NDArray[np.int64]


def shift_of_tiles(tiles: _Ints, box: Bounds) -> str:
    """Where the tiles lie by one further than a box, in words such as `north`; empty where they do not.

    They do if the box reaches out of them on one side, and if it would fill all of them, to less than a tile at every
    edge, once they are moved by one.

    Args:
        tiles: int64 [N, 3] (z, x, y southwards), of one zoom.
        box: where their source says that they lie.
    """
    side = 2.0 ** int(tiles[0, 0])
    if box.west > box.east or _last_digit_deg(box) / 2 > _COARSE * 360.0 / side:
        return ""
    x, y = mercator_m(np.array([box.north, box.south]), np.array([box.west, box.east]))
    across = (np.asarray(x) / MERCATOR_HALF_M + 1.0) / 2 * side
    down = (1.0 - np.asarray(y) / MERCATOR_HALF_M) / 2 * side
    low, high = tiles[:, 1:].min(axis=0), tiles[:, 1:].max(axis=0) + 1
    fits = [_fits(low[axis], high[axis], edges) for axis, edges in enumerate((across, down))]
    if all(0 in shifts for shifts in fits):
        return ""
    for shift in itertools.product((0, -1, 1), repeat=2):
        if any(shift) and all(moved in shifts for moved, shifts in zip(shift, fits, strict=True)):
            words = [_WORDS[-moved][axis] for axis, moved in enumerate(shift) if moved]
            return " and ".join(reversed(words))
    return ""


def _fits(low: float, high: float, edges: NDArray[np.float64]) -> set[int]:
    """Moved by which of -1, 0 and 1 some tiles hold two edges, each in the outermost of them."""
    return {
        shift
        for shift in (-1, 0, 1)
        if -_ROUNDED <= edges[0] - (low + shift) < 1 - _ROUNDED
        and -_ROUNDED <= (high + shift) - edges[1] < 1 - _ROUNDED
    }


def _last_digit_deg(box: Bounds) -> float:
    """The place of the last digit that an edge is given to, at least 1e-9."""
    for digits in range(10):
        if all(math.isclose(edge, round(edge, digits), rel_tol=0, abs_tol=1e-10) for edge in box.as_tuple()):
            return float(10.0**-digits)
    return 1e-9
