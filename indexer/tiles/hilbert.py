"""The Hilbert curve over the Web Mercator tile grid, vectorised both ways.

Tiles that are close on the curve are close on the ground, so a region is a modest number of runs of rows. The curve
is the one of the PMTiles specification, without its offset of the lower zooms. It is hierarchical: the four children
of a tile follow one another at the tile's own place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MAX_LEVEL", "hilbert_cells", "hilbert_keys"]

MAX_LEVEL = 30
"""Deepest level whose keys and cells fit the arithmetic used here; a cell there is 4 cm wide."""

_Cells = NDArray[np.int64]


def hilbert_keys(x: ArrayLike, y: ArrayLike, level: int) -> _Cells:
    """Distance along the curve of cells (x, y) of a grid of 2**level a side, y southwards.

    Example:
        >>> hilbert_keys([0, 0, 1, 1], [0, 1, 1, 0], level=1).tolist()
        [0, 1, 2, 3]
    """
    across, down = np.array(x, np.int64), np.array(y, np.int64)
    keys = np.zeros(across.shape, np.int64)
    for bit in range(level - 1, -1, -1):
        side = np.int64(1 << bit)
        right, lower = (across >> bit) & 1, (down >> bit) & 1
        keys += ((3 * right) ^ lower) << (2 * bit)
        across, down = _turn(side, across & (side - 1), down & (side - 1), right, lower)
    return keys


def hilbert_cells(keys: ArrayLike, level: int) -> tuple[_Cells, _Cells]:
    """The cells (x, y) at distances along the curve; the inverse of `hilbert_keys`.

    Example:
        >>> across, down = hilbert_cells([0, 1, 2, 3], level=1)
        >>> across.tolist()
        [0, 0, 1, 1]
        >>> down.tolist()
        [0, 1, 1, 0]
    """
    along = np.array(keys, np.int64)
    across, down = np.zeros(along.shape, np.int64), np.zeros(along.shape, np.int64)
    for bit in range(level):
        side = np.int64(1 << bit)
        quarter = (along >> (2 * bit)) & 3
        right = quarter >> 1
        lower = (quarter ^ right) & 1
        across, down = _turn(side, across, down, right, lower)
        across, down = across + side * right, down + side * lower
    return across, down


def _turn(side: np.int64, x: _Cells, y: _Cells, right: _Cells, lower: _Cells) -> tuple[_Cells, _Cells]:
    """Turn a quadrant so that its part of the curve starts at its upper left corner."""
    mirrored = (lower == 0) & (right == 1)
    x, y = np.where(mirrored, side - 1 - x, x), np.where(mirrored, side - 1 - y, y)
    return np.where(lower == 0, y, x), np.where(lower == 0, x, y)
