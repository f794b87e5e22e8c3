"""Well-known binary of footprints: boxes written, bounds of points and polygons read. Coordinates are (lon, lat)."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from model.common.geo import normal_lon

__all__ = ["Parts", "box_wkb", "extent_of_parts", "on_one_side", "wkb_extent", "wkb_parts"]

_Floats = NDArray[np.float64]
Parts = list[_Floats]
"""The point or rings of a shape, each [N, 2] (lon, lat)."""
_LITTLE_POLYGON = np.dtype(
    [("order", "u1"), ("kind", "<u4"), ("rings", "<u4"), ("points", "<u4"), ("ring", "<f8", (5, 2))]
)
_POINT, _POLYGON, _MULTIPOLYGON = 1, 3, 6
_WGS84_SRIDS = (0, 4326, 4979)


_OTHER_TYPES = {2: "LineString", 4: "MultiPoint", 5: "MultiLineString", 7: "GeometryCollection", 8: "CircularString"}
_OTHER_TYPES |= {9: "CompoundCurve", 10: "CurvePolygon", 12: "MultiSurface", 15: "PolyhedralSurface", 17: "Triangle"}


class _OtherType(ValueError):
    """The name of a type of geometry that is not read."""


class _OtherSystem(ValueError):
    """The number of a reference system that is not WGS 84."""


def box_wkb(west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> list[bytes]:
    """One polygon a box, counter-clockwise; two of them in a multipolygon where `west > east`."""
    size = _LITTLE_POLYGON.itemsize
    west, east = on_one_side(west, east)
    crossing = west > east
    packed = _polygons(west, south, np.where(crossing, 180.0, east), north).tobytes()
    shapes = [packed[at : at + size] for at in range(0, len(packed), size)]
    rows = np.flatnonzero(crossing)
    beyond = _polygons(np.full(len(rows), -180.0), south[rows], east[rows], north[rows])
    for row, other in zip(rows.tolist(), beyond, strict=True):
        shapes[row] = struct.pack("<BII", 1, _MULTIPOLYGON, 2) + shapes[row] + other.tobytes()
    return shapes


def on_one_side(west: _Floats, east: _Floats) -> tuple[_Floats, _Floats]:
    """Longitudes of boxes, those on the antimeridian counted from the side where the box lies.

    180 and -180 are one meridian. A box from 180 to -179 does not cross it: it is the one from -180 to -179, and all
    that compares numbers, such as readers of a covering column, finds it only so.
    """
    width = np.where(west > east, east - west + 360.0, east - west)
    some = (width > 0.0) & (width < 360.0)
    return np.where(some & (west == 180.0), -180.0, west), np.where(some & (east == -180.0), 180.0, east)


def wkb_extent(data: bytes) -> tuple[float, float, float, float]:
    """(west, south, east, north) of a point, polygon or multipolygon; `west > east` crosses the antimeridian.

    Raises:
        BadSource: another geometry, or damaged.
    """
    return extent_of_parts(wkb_parts(data))


def wkb_parts(data: bytes) -> Parts:
    """The point or the rings of a geometry, each [N, 2] (lon, lat).

    Raises:
        BadSource: it is neither point, polygon nor multipolygon, or damaged.
    """
    try:
        parts, _ = _read(data, 0)
    except _OtherSystem as error:
        raise BadSource(f"a geometry says that its SRID is {error}; transform it to EPSG:4326") from error
    except _OtherType as error:
        raise BadSource(
            f"a geometry is a {error}; give a point, polygon or multipolygon, such as its outline"
        ) from error
    except (struct.error, IndexError, ValueError) as error:
        raise BadSource(f"a geometry is no well-known binary ({error}); it starts with {data[:9]!r}") from error
    return parts


def extent_of_parts(parts: Parts) -> tuple[float, float, float, float]:
    """(west, south, east, north) of rings [N, 2] (lon, lat); `west > east` crosses the antimeridian.

    A shape may be cut at the antimeridian (RFC 7946), run on beyond 180 degrees, or jump from 180 to -180 degrees.

    Raises:
        BadSource: there is no point, or one that is not finite or lies beyond the range of degrees.
    """
    filled = [part for part in parts if len(part)]
    if not filled:
        raise BadSource("a geometry is empty; give a point or polygon for every tile")
    arcs = [_arc(part[:, 0]) for part in filled]
    lats = [(float(part[:, 1].min()), float(part[:, 1].max())) for part in filled]
    south, north = min(low for low, _ in lats), max(high for _, high in lats)
    outside = [value for value in (south, north) if not abs(value) <= 90.0]
    outside += [
        start if not abs(start) <= 180.0 else end for start, end in arcs if not _starts_or_ends_inside(start, end)
    ]
    if outside:
        raise BadSource(
            f"a geometry reaches {outside[0]}, beyond the range of degrees; are latitude and longitude swapped, or the "
            "coordinates not WGS 84 degrees?"
        )
    west, east = on_one_side(*np.array(_narrowest(arcs), np.float64))
    return float(west), south, float(east), north


def _starts_or_ends_inside(start: float, end: float) -> bool:
    """Whether an arc lies between -180 and 180 degrees or runs over one of them; not a number does not."""
    return end - start <= 360.0 and (abs(start) <= 180.0 or abs(end) <= 180.0)


def _arc(lon: _Floats) -> tuple[float, float]:
    """(start, end) of a ring's longitudes, a jump of more than half the world taken as a step over 180 degrees."""
    west, east = float(lon.min()), float(lon.max())
    if east - west <= 180.0 or east - west >= 360.0:
        return west, east
    unwrapped = np.unwrap(lon, period=360.0)
    start, end = float(unwrapped.min()), float(unwrapped.max())
    return (west, east) if end - start > east - west else (start, end)


def _narrowest(arcs: list[tuple[float, float]]) -> tuple[float, float]:
    """(west, east) of the smallest arc that holds all arcs, each end in [-180, 180]."""
    west, east = min(start for start, _ in arcs), max(end for _, end in arcs)
    if len(arcs) > 1 and east - west > 180.0:
        eastern, western = [arc for arc in arcs if arc[1] > 0.0], [arc for arc in arcs if arc[1] <= 0.0]
        start, end = min((arc[0] for arc in eastern), default=west), max((arc[1] for arc in western), default=east)
        if end + 360.0 - start < east - west and max((arc[1] for arc in eastern), default=180.0) <= end + 360.0:
            return normal_lon(start), normal_lon(end)
    if east - west >= 360.0:
        return -180.0, 180.0
    return normal_lon(west), normal_lon(east)


def _polygons(west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> NDArray[np.void]:
    shapes = np.zeros(len(west), _LITTLE_POLYGON)
    shapes["order"], shapes["kind"], shapes["rings"], shapes["points"] = 1, _POLYGON, 1, 5
    shapes["ring"][:, :, 0] = np.stack([west, east, east, west, west], axis=1)
    shapes["ring"][:, :, 1] = np.stack([south, south, north, north, south], axis=1)
    return shapes


def _read(data: bytes, at: int, *, inside: bool = False) -> tuple[Parts, int]:
    """The rings of the geometry at an offset, and the offset behind it."""
    order = "<" if data[at] == 1 else ">"
    (code,) = struct.unpack_from(f"{order}I", data, at + 1)
    at += 5
    if code & 0x20000000:  # an EWKB reference system number
        (system,) = struct.unpack_from(f"{order}I", data, at)
        if system not in _WGS84_SRIDS:
            raise _OtherSystem(system)
        at += 4
    kind, axes = code & 0xFF if code & 0xE0000000 else code % 1000, _axes(code)
    if kind == _POINT and not inside:
        return [np.frombuffer(data, f"{order}f8", axes, at).reshape(1, axes)[:, :2]], at + 8 * axes
    if kind != _POLYGON and (kind != _MULTIPOLYGON or inside):
        if kind in _OTHER_TYPES and not inside:
            raise _OtherType(_OTHER_TYPES[kind])
        raise ValueError(f"geometry type {kind} is neither point nor polygon")
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    parts: Parts = []
    for _ in range(count):
        if kind == _MULTIPOLYGON:
            rings, at = _read(data, at, inside=True)
            parts += rings
        else:
            ring, at = _ring(data, at, order, axes)
            parts.append(ring)
    return parts, at


def _ring(data: bytes, at: int, order: str, axes: int) -> tuple[_Floats, int]:
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    return np.frombuffer(data, f"{order}f8", count * axes, at).reshape(count, axes)[:, :2], at + 8 * axes * count


def _axes(code: int) -> int:
    """2, 3 or 4 coordinates a point, by the ISO and the EWKB way of saying so."""
    if code & 0xE0000000:
        return 2 + bool(code & 0x80000000) + bool(code & 0x40000000)
    return {0: 2, 1: 3, 2: 3, 3: 4}.get(code // 1000, 2)
