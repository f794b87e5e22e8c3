"""Where the synthetic world lies: a plane of ground metres laid on the Web Mercator projection.

The plane's origin is Point Nemo, the place in the ocean farthest from any land, so that no tile or coordinate of
the world can be mistaken for a real place. `x` runs east and `y` north. Mercator lengths are scaled by the cosine of
the origin's latitude: within 20 km of the origin a plane metre is a ground metre to 0.4 %.
"""

from __future__ import annotations

import math

import mercantile

from model.common.geo import Bounds, LatLon

__all__ = ["ORIGIN", "SCALE", "latlon_of", "plane_of", "tile_bounds", "tile_window_m"]

ORIGIN = LatLon(-48.8767, -123.3933)
SCALE = math.cos(math.radians(ORIGIN.lat))
"""Ground metres per Mercator metre at the origin."""

_ORIGIN_X, _ORIGIN_Y = mercantile.xy(ORIGIN.lon, ORIGIN.lat)


def plane_of(point: LatLon) -> tuple[float, float]:
    """(x, y) in metres east and north of the origin."""
    x, y = mercantile.xy(point.lon, point.lat)
    return (x - _ORIGIN_X) * SCALE, (y - _ORIGIN_Y) * SCALE


def latlon_of(x_m: float, y_m: float) -> LatLon:
    """The coordinates of a point of the plane."""
    place = mercantile.lnglat(x_m / SCALE + _ORIGIN_X, y_m / SCALE + _ORIGIN_Y)
    return LatLon(place.lat, place.lng)


def tile_bounds(z: int, x: int, y: int) -> Bounds:
    """The footprint of a Web Mercator tile in degrees."""
    west, south, east, north = mercantile.bounds(x, y, z)
    return Bounds(west, south, east, north)


def tile_window_m(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """The footprint of a Web Mercator tile on the plane: (left, bottom, right, top) in metres."""
    left, bottom, right, top = mercantile.xy_bounds(x, y, z)
    return (
        (left - _ORIGIN_X) * SCALE,
        (bottom - _ORIGIN_Y) * SCALE,
        (right - _ORIGIN_X) * SCALE,
        (top - _ORIGIN_Y) * SCALE,
    )
