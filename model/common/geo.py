"""Coordinates as values: WGS 84 degrees, always (lat, lon), checked once when made.

Distances are great-circle metres on the sphere of the WGS 84 mean radius (within 0.6 % of the ellipsoid).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from model.common.errors import BadCoordinates
from model.common.numbers import parse_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "EARTH_RADIUS_M",
    "Bounds",
    "LatLon",
    "great_circle_m",
    "great_circle_many_m",
    "normal_heading",
    "normal_lon",
    "offset_m",
    "parse_bounds",
    "parse_given_heading",
    "parse_lat_lon",
]

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the WGS 84 ellipsoid (IUGG), in metres."""


@dataclass(frozen=True, order=True)
class LatLon:
    """A point, in degrees: `lat` in [-90, 90], `lon` in [-180, 180].

    Example:
        >>> LatLon(47.0, 8.5).lat
        47.0

    Raises:
        BadCoordinates: a value is not a number or out of range.
    """

    lat: float
    lon: float

    def __post_init__(self) -> None:
        _check_lat(self.lat, self.lon)
        _check_lon(self.lon)


@dataclass(frozen=True)
class Bounds:
    """A box in degrees. `west > east` means that it crosses the antimeridian.

    Example:
        >>> Bounds(west=179.0, south=-1.0, east=-179.0, north=1.0).contains(LatLon(0.0, 180.0))
        True

    Raises:
        BadCoordinates: a value is not a number or out of range, or `south > north`.
    """

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        _check_lon(self.west)
        _check_lon(self.east)
        _check_lat(self.south)
        _check_lat(self.north)
        if self.south > self.north:
            raise BadCoordinates(
                f"south {self.south} lies north of north {self.north}; give west,south,east,north in degrees"
            )

    @property
    def crosses_antimeridian(self) -> bool:
        """Whether the box runs eastwards over longitude 180."""
        return self.west > self.east

    @property
    def centre(self) -> LatLon:
        """The middle of the box in degrees."""
        width = (self.east - self.west) % 360.0 if self.crosses_antimeridian else self.east - self.west
        return LatLon((self.south + self.north) / 2, normal_lon(self.west + width / 2))

    def contains(self, point: LatLon) -> bool:
        """Whether the point lies inside or on the edge."""
        if not self.south <= point.lat <= self.north:
            return False
        if self.crosses_antimeridian:
            return point.lon >= self.west or point.lon <= self.east
        return self.west <= point.lon <= self.east

    def as_tuple(self) -> tuple[float, float, float, float]:
        """(west, south, east, north), the order of GeoJSON and OGC."""
        return self.west, self.south, self.east, self.north


def great_circle_m(a: LatLon, b: LatLon) -> float:
    """Distance over the mean sphere, in metres (within 0.6 % of the ellipsoid).

    Example:
        >>> round(great_circle_m(LatLon(0.0, 0.0), LatLon(0.0, 1.0)))
        111195
    """
    return float(great_circle_many_m(a.lat, a.lon, b.lat, b.lon))


def great_circle_many_m(lat_a: ArrayLike, lon_a: ArrayLike, lat_b: ArrayLike, lon_b: ArrayLike) -> NDArray[np.float64]:
    """Haversine distances in metres between points in degrees; the four arrays broadcast."""
    import numpy as np  # not at the top: every command line knows coordinates, and is read without it

    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    half_dphi = (phi_b - phi_a) / 2
    half_dlambda = np.radians(np.subtract(lon_b, lon_a)) / 2
    h = np.sin(half_dphi) ** 2 + np.cos(phi_a) * np.cos(phi_b) * np.sin(half_dlambda) ** 2
    distance: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0)))
    return distance


def offset_m(origin: LatLon, *, east_m: float, north_m: float) -> LatLon:
    """The point some metres east and north of another; for distances up to some kilometres."""
    lat = origin.lat + math.degrees(north_m / EARTH_RADIUS_M)
    lon = origin.lon + math.degrees(east_m / (EARTH_RADIUS_M * math.cos(math.radians(origin.lat))))
    return LatLon(lat, normal_lon(lon))


def normal_heading(heading_deg: float) -> float:
    """A direction clockwise from north, in [-360, 360], as the same one in [0, 360).

    Raises:
        BadCoordinates: it is beyond that, as the -90 of a camera that counts without a sign, or not a number.
    """
    if not -360.0 <= heading_deg <= 360.0:
        raise BadCoordinates(f"the heading is {heading_deg:.10g}; give degrees clockwise from north in [-360, 360]")
    turned = heading_deg % 360.0
    return turned if turned < 360.0 else 0.0  # of a tiny negative one


def normal_lon(lon: float) -> float:
    """The same longitude in [-180, 180]."""
    return lon if -180.0 <= lon <= 180.0 else (lon + 180.0) % 360.0 - 180.0


def parse_lat_lon(text: str) -> LatLon:
    """`"47.1,8.5"` -> LatLon(47.1, 8.5).

    Raises:
        BadCoordinates: not two numbers, or out of range.
    """
    lat, lon = _numbers(text, 2, "lat,lon (for example 47.1,8.5)")
    return LatLon(lat, lon)


def parse_bounds(text: str) -> Bounds:
    """`"8.4,47.0,8.6,47.2"` -> Bounds(west=8.4, south=47.0, east=8.6, north=47.2).

    Raises:
        BadCoordinates: not four numbers, out of range, or wider than half the world over the antimeridian.
    """
    west, south, east, north = _numbers(text, 4, "west,south,east,north (for example 8.4,47.0,8.6,47.2)")
    bounds = Bounds(west, south, east, north)
    if bounds.crosses_antimeridian and east - west > -180.0:
        raise BadCoordinates(
            f"west {west} lies east of east {east}: over the antimeridian the box would be {east - west + 360.0:.2f} "
            "degrees wide; are west and east exchanged?"
        )
    return bounds


def parse_given_heading(text: str) -> float | Literal["unknown"]:
    """`"87.5"` -> 87.5 degrees clockwise from north, `"unknown"` as it is.

    Raises:
        BadCoordinates: neither, or beyond one turn.
    """
    if text == "unknown":
        return "unknown"
    if math.isnan(heading_deg := parse_number(text)):
        raise BadCoordinates(f"{text!r} is neither degrees clockwise from north nor 'unknown'")
    normal_heading(heading_deg)  # refuses one beyond a turn
    return heading_deg


def _numbers(text: str, count: int, form: str) -> list[float]:
    values = [parse_number(part) for part in text.split(",")]
    if len(values) != count or any(map(math.isnan, values)):
        raise BadCoordinates(f"{text!r} is not {form}, in degrees")
    return values


def _check_lat(lat: float, lon: float = math.nan) -> None:
    if not -90.0 <= lat <= 90.0:  # also false for NaN
        swapped = "; are the two swapped?" if abs(lon) <= 90.0 and abs(lat) <= 180.0 else ""
        raise BadCoordinates(f"latitude {lat} is not in [-90, 90]; coordinates are (lat, lon) in degrees{swapped}")


def _check_lon(lon: float) -> None:
    if not -180.0 <= lon <= 180.0:
        raise BadCoordinates(f"longitude {lon} is not in [-180, 180]; coordinates are (lat, lon) in degrees")
