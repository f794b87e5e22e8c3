"""Blocks: the cells of a district's street grid, and the lookup tables that decide what stands in each.

Streets are jittered parallel lines; a pixel's block is found by bisection, and everything random about a block is drawn
once for each block in a small table and gathered by pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.synthetic.districts import District
from model.synthetic.hashing import unit

__all__ = ["BlockKind", "Blocks", "locate"]

_Floats = NDArray[np.float32]
_Ints = NDArray[np.int64]
_JITTER = 0.2  # of the spacing; below 0.5 so that lines never swap


class BlockKind:
    """What fills a block."""

    HOUSES, COURT, HALL, PARK, FIELD, WOOD, PARKING, POND = range(8)


_SHARES = {  # cumulative, in the order of BlockKind
    "suburb": (0.72, 0.74, 0.80, 0.89, 0.92, 0.95, 0.97, 1.0),
    "town": (0.22, 0.70, 0.80, 0.89, 0.89, 0.91, 0.99, 1.0),
    "industry": (0.08, 0.14, 0.68, 0.71, 0.79, 0.82, 0.97, 1.0),
    "rural": (0.24, 0.24, 0.28, 0.31, 0.76, 0.94, 0.94, 1.0),
    "open": (0.10, 0.11, 0.12, 0.20, 0.60, 0.97, 0.97, 1.0),
}


@dataclass(frozen=True)
class Blocks:
    """Where each of N pixels lies in its district's street grid.

    Attributes:
        i: column of the block in the tables of this window.
        j: row of the block in the tables of this window.
        along_m: distance from the block's low edge along the first axis.
        across_m: the same along the second axis.
        length_m: the block's size along the first axis.
        depth_m: the block's size along the second axis.
        columns: global numbers of the table's columns.
        rows: global numbers of the table's rows.
        kind: [columns, rows], a BlockKind.
    """

    i: _Ints
    j: _Ints
    along_m: _Floats
    across_m: _Floats
    length_m: _Floats
    depth_m: _Floats
    columns: _Ints
    rows: _Ints
    kind: NDArray[np.int8]

    def table(self, key: int, *more: int | NDArray[np.int64]) -> _Floats:
        """A uniform draw for each block [columns, rows, ...]; further axes come from arrays in `more`."""
        extra = [np.asarray(part) for part in more]
        depth = sum(part.ndim for part in extra)
        grid = (self.columns.reshape((-1, 1) + (1,) * depth), self.rows.reshape((-1,) + (1,) * depth))
        return unit(key, *grid, *extra)


def locate(district: District, u_m: NDArray[np.float64], v_m: NDArray[np.float64]) -> Blocks:
    """Find the blocks of pixels given in the district's own axes [N]."""
    columns, edges_u = _lines(district.key, 1, u_m, district.spacing_m[0])
    rows, edges_v = _lines(district.key, 2, v_m, district.spacing_m[1])
    i = np.searchsorted(edges_u, u_m, side="right") - 1
    j = np.searchsorted(edges_v, v_m, side="right") - 1
    draw = unit(district.key + 3, columns[:, None], rows[None, :])
    kind = np.searchsorted(np.array(_SHARES[district.style], np.float32), draw, side="right")
    return Blocks(
        i=i,
        j=j,
        along_m=(u_m - edges_u[i]).astype(np.float32),
        across_m=(v_m - edges_v[j]).astype(np.float32),
        length_m=(edges_u[i + 1] - edges_u[i]).astype(np.float32),
        depth_m=(edges_v[j + 1] - edges_v[j]).astype(np.float32),
        columns=columns,
        rows=rows,
        kind=kind.clip(0, 7).astype(np.int8),
    )


def _lines(key: int, axis: int, values_m: NDArray[np.float64], spacing_m: float) -> tuple[_Ints, NDArray[np.float64]]:
    """Numbers and positions of the street lines that enclose all values."""
    first = int(np.floor(values_m.min() / spacing_m)) - 1
    last = int(np.floor(values_m.max() / spacing_m)) + 2
    numbers = np.arange(first, last + 1)
    jitter = (unit(key, numbers, axis).astype(np.float64) * 2 - 1) * _JITTER
    return numbers, (numbers + jitter) * spacing_m
