"""Well-known binary of footprints: boxes written, bounds of points and polygons read. Coordinates are (lon, lat)."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource

__all__ = ["box_wkb", "wkb_extent"]

_Floats = NDArray[np.float64]
_LITTLE_POLYGON = np.dtype(
    [("order", "u1"), ("kind", "<u4"), ("rings", "<u4"), ("points", "<u4"), ("ring", "<f8", (5, 2))]
)
_POINT, _POLYGON, _MULTIPOLYGON = 1, 3, 6


def box_wkb(west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> list[bytes]:
    """One polygon a box, counter-clockwise; two of them in a multipolygon where `west > east`."""
    size = _LITTLE_POLYGON.itemsize
    crossing = west > east
    packed = _polygons(west, south, np.where(crossing, 180.0, east), north).tobytes()
    shapes = [packed[at : at + size] for at in range(0, len(packed), size)]
    rows = np.flatnonzero(crossing)
    beyond = _polygons(np.full(len(rows), -180.0), south[rows], east[rows], north[rows])
    for row, other in zip(rows.tolist(), beyond, strict=True):
        shapes[row] = struct.pack("<BII", 1, _MULTIPOLYGON, 2) + shapes[row] + other.tobytes()
    return shapes


def wkb_extent(data: bytes) -> tuple[float, float, float, float]:
    """(west, south, east, north) of a point, polygon or multipolygon.

    Raises:
        BadSource: another geometry, or damaged.
    """
    try:
        points, _ = _points(data, 0)
    except (struct.error, IndexError, ValueError) as error:
        raise BadSource(f"a geometry is no well-known binary ({error}); it starts with {data[:9]!r}") from error
    if not len(points):
        raise BadSource("a geometry is empty; give a point or polygon for every tile")
    (west, south), (east, north) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return west, south, east, north


def _polygons(west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> NDArray[np.void]:
    shapes = np.zeros(len(west), _LITTLE_POLYGON)
    shapes["order"], shapes["kind"], shapes["rings"], shapes["points"] = 1, _POLYGON, 1, 5
    shapes["ring"][:, :, 0] = np.stack([west, east, east, west, west], axis=1)
    shapes["ring"][:, :, 1] = np.stack([south, south, north, north, south], axis=1)
    return shapes


def _points(data: bytes, at: int) -> tuple[_Floats, int]:
    """[N, 2] (lon, lat) of the geometry at an offset, and the offset behind it."""
    order = "<" if data[at] == 1 else ">"
    (code,) = struct.unpack_from(f"{order}I", data, at + 1)
    at += 5
    if code & 0x20000000:  # an EWKB reference system number
        at += 4
    kind, axes = code & 0xFF if code & 0xE0000000 else code % 1000, _axes(code)
    if kind == _POINT:
        return np.frombuffer(data, f"{order}f8", axes, at).reshape(1, axes)[:, :2], at + 8 * axes
    if kind not in (_POLYGON, _MULTIPOLYGON):
        raise ValueError(f"geometry type {kind} is neither point nor polygon")
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    parts: list[_Floats] = [np.empty((0, 2))]
    for _ in range(count):
        part, at = _points(data, at) if kind == _MULTIPOLYGON else _ring(data, at, order, axes)
        parts.append(part)
    return np.concatenate(parts), at


def _ring(data: bytes, at: int, order: str, axes: int) -> tuple[_Floats, int]:
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    return np.frombuffer(data, f"{order}f8", count * axes, at).reshape(count, axes)[:, :2], at + 8 * axes * count


def _axes(code: int) -> int:
    """2, 3 or 4 coordinates a point, by the ISO and the EWKB way of saying so."""
    if code & 0xE0000000:
        return 2 + bool(code & 0x80000000) + bool(code & 0x40000000)
    return {0: 2, 1: 3, 2: 3, 3: 4}.get(code // 1000, 2)
