"""Rows of a list that lie far from all others, and among them if their numbers are exchanged or lost no sign."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.common.counted import counted
from model.common.geo import EARTH_RADIUS_M

__all__ = ["doubts_of_odd_rows"]

_NEAR_M, _FAR_M = 500_000.0, 1_000_000.0
"""Around the middle of most rows; and how far from it a row is odd."""
_LEAST_ROWS = 3

_Floats = NDArray[np.float64]


def doubts_of_odd_rows(lat: _Floats, lon: _Floats) -> list[str]:
    """Warnings of such rows, one for each way in which they would lie among the others.

    Args:
        lat: of every row's middle, in degrees.
        lon: likewise.
    """
    if len(lat) < _LEAST_ROWS:
        return []
    middle = np.median(_points(lat, lon), axis=0)
    length = float(np.linalg.norm(middle))
    if not length > 0:
        return []
    middle /= length
    away_m = _metres(middle, lat, lon)
    if (away_m < _NEAR_M).mean() <= 0.5:
        return []
    odd = away_m > _FAR_M
    ways = {
        "with latitude and longitude exchanged": (lon, lat),
        "with the other sign of the latitude": (-lat, lon),
        "with the other sign of the longitude": (lat, -lon),
        "with the other sign of both": (-lat, -lon),
    }
    notes = []
    for words, (other_lat, other_lon) in ways.items():
        rows = np.flatnonzero(odd & (np.abs(other_lat) <= 90.0) & (_metres(middle, other_lat, other_lon) < _NEAR_M))
        odd[rows] = False
        if len(rows):
            first = int(rows[0])
            among = "it would lie among them" if len(rows) == 1 else "they would lie among them"
            notes.append(
                f"warning: {counted(len(rows), 'row', 'lies', 'lie')} far from most others (row {first + 1} the first, "
                f"{away_m[first] / 1000:,.0f} km away, at {lat[first]:.5f}, {lon[first]:.5f}); {words} {among}"
            )
    return notes


def _points(lat: _Floats, lon: _Floats) -> _Floats:
    """[N, 3] on the unit sphere."""
    lat, lon = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _metres(middle: _Floats, lat: _Floats, lon: _Floats) -> _Floats:
    away_m: _Floats = np.arccos(np.clip(_points(lat, lon) @ middle, -1.0, 1.0)) * EARTH_RADIUS_M
    return away_m
