"""Where a place may be: a box or a circle on the sphere, and which tiles it leaves. `areas` has more shapes.

A tile stays when its footprint touches the region. The test is exact on the mean sphere, across the antimeridian and
around the poles, and it also holds for boxes that enclose many tiles, so whole blocks can be ruled out at once.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Protocol

import numpy as np
from annotated_types import Gt
from numpy.typing import ArrayLike, NDArray

from indexer.common.errors import BadQuery
from model.common.geo import EARTH_RADIUS_M, Bounds, LatLon, great_circle_many_m, normal_lon
from model.common.specs import Wanted, spec

__all__ = ["BoxRegion", "CircleRegion", "RecentImagery", "Region"]

_SLACK_DEG = 1e-7
"""A centimetre, by which the box around a circle is wider than the circle, so that rounding rules nothing out."""
_ROUNDING_M = 1e-3
_NARROW_DEG = 90.0
_WIDE_DEG, _STEEP_DEG = 5.0, 85.0
"""Up to these, half the width and the farthest latitude of a circle, its surroundings count as nearly flat."""

_Floats = NDArray[np.float64]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BoxRegion:
    """Everything inside a box in degrees.

    Example:
        >>> region = BoxRegion(Bounds(west=8.0, south=47.0, east=9.0, north=48.0))
        >>> region.mask([8.9, 9.1], [47.5, 47.5], [9.1, 9.2], [47.6, 47.6]).tolist()
        [True, False]
    """

    bounds: Bounds

    def mask(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes, in degrees, touch the region; `west > east` crosses the antimeridian."""
        west, south, east, north = (np.asarray(edge, np.float64) for edge in (west, south, east, north))
        own = self.bounds
        own_width = _width(np.float64(own.west), np.float64(own.east))
        beside = ((own.west - west) % 360.0 <= _width(west, east)) | ((west - own.west) % 360.0 <= own_width)
        # At a pole all longitudes are one point.
        beside |= ((north == 90.0) & (own.north == 90.0)) | ((south == -90.0) & (own.south == -90.0))
        mask: _Mask = beside & (south <= own.north) & (north >= own.south)
        return mask

    def holds(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes lie wholly inside, as far as that is quick to see."""
        west, south, east, north = (np.asarray(edge, np.float64) for edge in (west, south, east, north))
        own = self.bounds
        own_width = _width(np.float64(own.west), np.float64(own.east))
        mask: _Mask = ((west - own.west) % 360.0 + _width(west, east) <= own_width) & (south >= own.south)
        return mask & (north <= own.north)


@spec(error=BadQuery)
class CircleRegion:
    """Everything within some metres of a point, over the sphere.

    Example:
        >>> region = CircleRegion(LatLon(47.0, 8.0), radius_m=1_000.0)
        >>> region.mask([8.01, 8.1], [47.0, 47.0], [8.02, 8.2], [47.1, 47.1]).tolist()
        [True, False]

    Raises:
        BadQuery: the radius is not a positive number.
    """

    centre: LatLon
    radius_m: Annotated[float, Gt(0), Wanted("a positive number of metres")]

    def mask(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes, in degrees, touch the region; `west > east` crosses the antimeridian."""
        edges = np.broadcast_arrays(*(np.asarray(edge, np.float64) for edge in (west, south, east, north)))
        flat = [edge.ravel() for edge in edges]
        if self._plane is None:
            return self._mask_on_sphere(*flat).reshape(edges[0].shape)
        mask, unsure = self._plane.touches(*flat)
        rim = np.flatnonzero(unsure)
        if len(rim):
            mask[rim] = self._mask_on_sphere(*(edge[rim] for edge in flat))
        return mask.reshape(edges[0].shape)

    def _mask_on_sphere(self, west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> _Mask:
        mask: _Mask = self._box.mask(west, south, east, north)
        near = np.flatnonzero(mask)  # the rest is ruled out at the cost of a box
        mask[near] = self._touches(west[near], south[near], east[near], north[near])
        return mask

    def holds(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes lie wholly inside, as far as that is quick to see.

        Within a quarter turn of the centre the farthest point of a box is a corner: along a meridian the distance
        falls, then grows; along a parallel it grows away from the centre.
        """
        west, south, east, north = (np.asarray(edge, np.float64) for edge in (west, south, east, north))
        if self._plane is not None:
            return self._plane.holds(west, south, east, north)
        lat, lon = self.centre.lat, self.centre.lon
        mask: _Mask = _width(west, east) <= _NARROW_DEG
        for edge in (west, east):
            mask = mask & (np.abs((edge - lon + 180.0) % 360.0 - 180.0) <= _NARROW_DEG)
            for end in (south, north):
                mask = mask & (great_circle_many_m(lat, lon, end, edge) <= self.radius_m)
        return mask

    @cached_property
    def _plane(self) -> _Plane | None:
        """Bounds on distances that need no sines; None of a circle that is wide, or near a pole or the antimeridian."""
        box, lat = self._box.bounds, self.centre.lat
        up = (box.north - box.south) / 2
        if up > _WIDE_DEG or abs(lat) + up > _STEEP_DEG or box.west <= -180.0 or box.east >= 180.0:
            return None
        return None if box.crosses_antimeridian else _Plane.around(self.centre, self.radius_m, box)

    @property
    def bounds(self) -> Bounds:
        """A box around the circle."""
        return self._box.bounds

    @cached_property
    def _box(self) -> BoxRegion:
        lat, lon = self.centre.lat, self.centre.lon
        up = math.degrees(self.radius_m / EARTH_RADIUS_M) + _SLACK_DEG
        south, north = max(-90.0, lat - up), min(90.0, lat + up)
        if abs(lat) + up >= 90.0:
            return BoxRegion(Bounds(-180.0, south, 180.0, north))
        side = math.degrees(math.asin(min(1.0, math.sin(math.radians(up)) / math.cos(math.radians(lat))))) + _SLACK_DEG
        return BoxRegion(Bounds(normal_lon(lon - side), south, normal_lon(lon + side), north))

    def _touches(self, west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> _Mask:
        lat, lon = self.centre.lat, self.centre.lon
        straight_m = great_circle_many_m(lat, lon, np.clip(lat, south, north), lon)
        sideways_m = np.minimum(self._to_meridian_m(west, south, north), self._to_meridian_m(east, south, north))
        abreast = (lon - west) % 360.0 <= _width(west, east)
        mask: _Mask = np.where(abreast, straight_m, sideways_m) <= self.radius_m
        return mask

    def _to_meridian_m(self, meridian: _Floats, south: _Floats, north: _Floats) -> _Floats:
        """Distance to the nearest point of a stretch of a meridian."""
        lat, lon = self.centre.lat, self.centre.lon
        phi = math.radians(lat)
        # Along the meridian's great circle the cosine of the distance peaks where tan(lat*) = tan(lat) / cos(dlon).
        foot = np.degrees(np.arctan2(math.sin(phi), math.cos(phi) * np.cos(np.radians(meridian - lon))))
        nearest_m = great_circle_many_m(lat, lon, np.clip(foot, south, north), meridian)
        for end in (south, north):  # beyond a pole the foot is off the stretch, and either end may be nearer
            nearest_m = np.minimum(nearest_m, great_circle_many_m(lat, lon, end, meridian))
        return nearest_m


@dataclass(frozen=True)
class _Plane:
    """The surroundings of a point as if they were flat, and by how much that is wrong at most.

    With the haversine h = sin²(dφ/2) + cos φa cos φb sin²(dλ/2) of a distance, 4 h lies between
    (1 - ε) (dφ² + cos φa c dλ²), c the least cosine in reach, and dφ² + cos φa C dλ², C the greatest.

    Attributes:
        lat, lon: the point, in degrees.
        least, greatest: cos φa c, cos φa C.
        inside_deg2: up to this, the greater bound is within the radius for sure.
        outside_deg2: beyond this, the lesser bound is not within it.
    """

    lat: float
    lon: float
    least: float
    greatest: float
    inside_deg2: float
    outside_deg2: float

    @classmethod
    def around(cls, centre: LatLon, radius_m: float, box: Bounds) -> _Plane:
        """The surroundings of a circle; `box` is the one around it."""
        own = math.cos(math.radians(centre.lat))
        ends = [math.cos(math.radians(lat)) for lat in (box.south, box.north)]
        greatest = 1.0 if box.south <= 0.0 <= box.north else max(ends)
        half_rad = math.radians(max(box.north - box.south, box.east - box.west)) / 4
        inside, outside = (
            4 * math.sin(max(0.0, radius_m + slack) / (2 * EARTH_RADIUS_M)) ** 2 * math.degrees(1) ** 2
            for slack in (-_ROUNDING_M, _ROUNDING_M)
        )
        return cls(centre.lat, centre.lon, own * min(ends), own * greatest, inside, outside / (1 - 2 * half_rad**2 / 3))

    def touches(self, west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> tuple[_Mask, _Mask]:
        """Boxes that touch the circle for sure, and those of which this does not tell.

        By the point of a box whose latitude and longitude are nearest: it is in the box, and none is nearer in either.
        """
        up = np.maximum(np.maximum(south - self.lat, self.lat - north), 0.0)
        aside = np.maximum(np.maximum(west - self.lon, self.lon - east), 0.0)
        up *= up
        aside *= aside
        crossing = west > east
        sure: _Mask = (up + self.greatest * aside <= self.inside_deg2) & ~crossing
        unsure: _Mask = ((up + self.least * aside <= self.outside_deg2) & ~sure) | crossing
        return sure, unsure

    def holds(self, west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> _Mask:
        """Boxes that lie inside for sure."""
        up = np.maximum(north - self.lat, self.lat - south)
        aside = np.maximum(east - self.lon, self.lon - west)
        mask: _Mask = (up * up + self.greatest * aside * aside <= self.inside_deg2) & (west <= east)
        return mask


class Region(Protocol):
    """Anything that tells which boxes touch it; a box that holds others touches it where one of them does."""

    def mask(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes, in degrees, touch the region; `west > east` crosses the antimeridian."""

    def holds(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Boxes that lie wholly inside; some that do may be left out, none that does not is named."""


@dataclass(frozen=True)
class RecentImagery:
    """Only imagery that was taken on a day or later, in an area or anywhere; imagery without a date is left out.

    Segments have one date each, so it is they that are left out; to boxes it is the area.

    Example:
        >>> region = RecentImagery(datetime.date(2026, 6, 1))
        >>> region.leaves("2026-05-31"), region.leaves("2026-06-01"), region.leaves(None)
        (False, True, False)
    """

    since: datetime.date
    area: Region | None = None

    def leaves(self, date: str | None) -> bool:
        """Whether imagery of a date, as YYYY-MM-DD, counts."""
        return date is not None and date >= self.since.isoformat()

    def mask(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes, in degrees, touch the area."""
        return _everywhere(west) if self.area is None else self.area.mask(west, south, east, north)

    def holds(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes lie wholly inside, as far as that is quick to see."""
        return _everywhere(west) if self.area is None else self.area.holds(west, south, east, north)


def _everywhere(west: ArrayLike) -> _Mask:
    return np.ones(np.shape(west), np.bool_)


def _width(west: _Floats | np.float64, east: _Floats | np.float64) -> _Floats:
    """Extent in degrees eastwards; 360 for the whole way round."""
    return np.where(east >= west, east - west, east - west + 360.0)
