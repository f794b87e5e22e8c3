"""Which tiles of a gallery show a camera besides its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from model.common.geo import LatLon
from model.common.manifest_rows import ManifestRow
from model.synthetic.plane import plane_of

__all__ = ["name_overlaps"]

_Squares = dict[tuple[int, int], list[tuple[float, float, str]]]


def name_overlaps(rows: Sequence[ManifestRow], reach_m: float) -> list[ManifestRow]:
    """The rows with the other tiles named that are centred within `reach_m` of their camera along both axes."""
    squares: _Squares = defaultdict(list)
    for row in rows:
        x, y = plane_of(LatLon(row.reference_lat, row.reference_lon))
        squares[int(x // reach_m), int(y // reach_m)].append((x, y, row.reference))
    return [_named(row, squares, reach_m) for row in rows]


def _named(row: ManifestRow, squares: _Squares, reach_m: float) -> ManifestRow:
    if row.camera is None:
        return row
    x, y = plane_of(row.camera)
    column, line = int(x // reach_m), int(y // reach_m)
    around = [(column + i, line + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    near = [tile for square in around if square in squares for tile in squares[square]]
    shown = [name for east, north, name in near if abs(east - x) < reach_m and abs(north - y) < reach_m]
    return replace(row, semi_positives=";".join(sorted(set(shown) - {row.reference})))
