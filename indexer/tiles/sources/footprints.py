"""The ground of listed pictures: squares around points, and the checks that boxes must pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.wkb import on_one_side
from model.common.geo import EARTH_RADIUS_M

__all__ = ["LONGEST_M", "SHORTEST_M", "Edges", "checked_boxes", "squares"]

LONGEST_M = 1_000_000.0
"""The longest sensible side of a picture's ground; beyond, west and east or the units are wrong."""
SHORTEST_M = 0.5
"""The shortest; below, it is a point or a line."""

_Floats = NDArray[np.float64]
Edges = tuple[_Floats, _Floats, _Floats, _Floats]
"""(west, south, east, north) in degrees, `west > east` across the antimeridian."""


def squares(lat: _Floats, lon: _Floats, side_m: float) -> Edges:
    """Footprints of some metres a side around centres."""
    half = math.degrees(side_m / EARTH_RADIUS_M) / 2
    across = np.minimum(half / np.maximum(np.cos(np.radians(lat)), 1e-9), 180.0)
    west, east = lon - across, lon + across
    whole = across >= 180.0  # so near the pole that it holds all longitudes
    west = np.where(whole, -180.0, np.where(west < -180.0, west + 360.0, west))
    east = np.where(whole, 180.0, np.where(east > 180.0, east - 360.0, east))
    return west, np.maximum(lat - half, -90.0), east, np.minimum(lat + half, 90.0)


def checked_boxes(edges: Edges, side_m: float | None, where: Path) -> Edges:
    """Boxes as they are, points among them as squares of some metres a side.

    Raises:
        BadSource: edges are exchanged, a box is longer or shorter than is sensible, or it is a point and no side is
            given; the message names the row.
    """
    west, south, east, north = edges
    _refuse(south > north, where, lambda row: f"has south {south[row]} above north {north[row]}")
    points = (west == east) & (south == north)
    if points.any() and side_m is None:
        row = int(np.argmax(points))
        raise BadSource(
            f"{where} gives points, not footprints (row {row + 1}); say how wide a tile is on the ground with "
            "--tile-size-m"
        )
    width = np.where(east >= west, east - west, east - west + 360.0)
    _refuse(
        (west > east) & (width > 180.0),
        where,
        lambda row: (
            f"has west {west[row]} and east {east[row]}: over the antimeridian it would be {width[row]:.2f} "
            "degrees wide; are west and east exchanged?"
        ),
    )
    down_m = np.radians(north - south) * EARTH_RADIUS_M
    across_m = np.radians(width) * np.cos(np.radians((north + south) / 2)) * EARTH_RADIUS_M
    senseless = ~points & ((np.maximum(across_m, down_m) > LONGEST_M) | (np.minimum(across_m, down_m) < SHORTEST_M))
    _refuse(
        senseless,
        where,
        lambda row: (
            f"has a footprint of {across_m[row]:,.1f} x {down_m[row]:,.1f} m; a tile is between {SHORTEST_M:g} "
            f"and {LONGEST_M:,.0f} m a side. Are the edges in WGS 84 degrees, and west and east not exchanged?"
        ),
    )
    west, east = on_one_side(west, east)
    if not points.any():
        return west, south, east, north
    drawn = squares(south, west, side_m or 0.0)
    edges = west, south, east, north
    west, south, east, north = (np.where(points, square, edge) for square, edge in zip(drawn, edges, strict=True))
    return west, south, east, north


def _refuse(wrong: NDArray[np.bool_], where: Path, fault: Callable[[int], str]) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadSource(f"row {row + 1} of {where} {fault(row)}")
