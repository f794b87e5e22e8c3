"""The Web Mercator tile grid (EPSG:3857, y southwards) on arrays: bounds of tiles, and where points lie on the grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexer.tiles.hilbert import MAX_LEVEL, hilbert_keys

__all__ = ["MAX_ZOOM", "MERCATOR_HALF_M", "curve_keys_of_points", "curve_keys_of_tiles", "mercator_m", "tile_bounds"]

MAX_ZOOM = MAX_LEVEL - 1
"""Deepest zoom whose tile centres are still cell corners of the key grid."""

MERCATOR_HALF_M = 20037508.342789244
"""Half the side of the projected world, in projected metres: pi times the WGS 84 equatorial radius."""

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


def tile_bounds(z: ArrayLike, x: ArrayLike, y: ArrayLike) -> tuple[_Floats, _Floats, _Floats, _Floats]:
    """(west, south, east, north) of tiles, in degrees."""
    side = np.exp2(np.asarray(z, np.float64))
    across, down = np.asarray(x, np.float64), np.asarray(y, np.float64)
    west, east = across / side * 360.0 - 180.0, (across + 1) / side * 360.0 - 180.0
    return west, _lat_of(down + 1, side), east, _lat_of(down, side)


def mercator_m(lat: ArrayLike, lon: ArrayLike) -> tuple[_Floats, _Floats]:
    """(easting, northing) in projected metres of EPSG:3857 for points in degrees."""
    radius = MERCATOR_HALF_M / np.pi
    easting = np.asarray(lon, np.float64) / 180.0 * MERCATOR_HALF_M
    return easting, radius * np.arcsinh(np.tan(np.radians(np.asarray(lat, np.float64))))


def curve_keys_of_tiles(z: ArrayLike, x: ArrayLike, y: ArrayLike) -> _Ints:
    """Place on the space-filling curve of each tile's centre, for tiles of any zoom up to `MAX_ZOOM`."""
    deeper = MAX_LEVEL - np.asarray(z, np.int64)
    half = np.int64(1) << (deeper - 1)
    across = (np.asarray(x, np.int64) << deeper) + half
    down = (np.asarray(y, np.int64) << deeper) + half
    return hilbert_keys(across, down, MAX_LEVEL)


def curve_keys_of_points(lat: ArrayLike, lon: ArrayLike) -> _Ints:
    """Place on the same curve of points in degrees; beyond 85.05 degrees the outermost cell is taken."""
    side = 1 << MAX_LEVEL
    with np.errstate(over="ignore", invalid="ignore"):
        easting, northing = mercator_m(np.clip(lat, -89.9, 89.9), lon)
    across = np.floor((easting / MERCATOR_HALF_M + 1) / 2 * side).astype(np.int64)
    down = np.floor((1 - northing / MERCATOR_HALF_M) / 2 * side).astype(np.int64)
    return hilbert_keys(np.clip(across, 0, side - 1), np.clip(down, 0, side - 1), MAX_LEVEL)


def _lat_of(down: _Floats, side: _Floats) -> _Floats:
    lat: _Floats = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * down / side))))
    return lat
