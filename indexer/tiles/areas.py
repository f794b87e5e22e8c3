"""Areas from GeoJSON: polygons, several of them, and what lies along a track.

Lines are straight in longitude and latitude, as RFC 7946 has them; an area across the antimeridian is cut there.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexer.common.errors import BadQuery
from indexer.common.optional import load_shapely
from indexer.tiles.region import BoxRegion
from indexer.tiles.tile_table import narrowest_span
from model.common.geo import EARTH_RADIUS_M, Bounds, normal_lon
from model.common.plain_files import read_plain

__all__ = ["PolygonRegion", "TrackRegion", "read_area", "read_track"]

_STEP_M = 1000.0
"""Longest piece of a track that is taken as flat ground; over it and some kilometres beside it, a metre is lost."""
_MOST_LAT = 85.0
_SLACK_DEG = 1e-7

_Floats = NDArray[np.float64]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PolygonRegion:
    """Everything inside polygons in degrees, their borders included.

    Attributes:
        polygons: a Shapely geometry of (lon, lat), made by `read_area`.
    """

    polygons: Any

    def mask(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes, in degrees, touch the region; `west > east` crosses the antimeridian."""
        edges = np.broadcast_arrays(*(np.asarray(edge, np.float64) for edge in (west, south, east, north)))
        flat = [edge.ravel() for edge in edges]
        mask = self._bounds.mask(*flat)
        near = np.flatnonzero(mask)
        west, south, east, north = (edge[near] for edge in flat)
        crossing = west > east
        shapely = load_shapely()
        found = shapely.intersects(self._prepared, shapely.box(west, south, np.where(crossing, 180.0, east), north))
        if crossing.any():
            found |= crossing & shapely.intersects(self._prepared, shapely.box(-180.0, south, east, north))
        mask[near] = found
        return mask.reshape(edges[0].shape)

    def holds(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes lie wholly inside, as far as that is quick to see."""
        west, south, east, north = (np.asarray(edge, np.float64) for edge in (west, south, east, north))
        shapely = load_shapely()
        mask: _Mask = shapely.contains_properly(self._prepared, shapely.box(west, south, east, north))
        return mask & (west <= east)

    @property
    def bounds(self) -> Bounds:
        """A box around the polygons."""
        return self._bounds.bounds

    @cached_property
    def _prepared(self) -> Any:
        load_shapely().prepare(self.polygons)
        return self.polygons

    @cached_property
    def _bounds(self) -> BoxRegion:
        west, south, east, north = self.polygons.bounds
        return BoxRegion(Bounds(west, south, east, north))


@dataclass(frozen=True)
class TrackRegion:
    """Everything within some metres of a line.

    Distances are those of the plane that touches the ground at each kilometre of the line, right to a thousandth.

    Attributes:
        lines: each float64 [N, 2] of (lon, lat), N >= 2.
        radius_m: how far beside the line.
    """

    lines: tuple[_Floats, ...]
    radius_m: float

    def mask(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """Which of the boxes, in degrees, touch the region; `west > east` crosses the antimeridian."""
        edges = np.broadcast_arrays(*(np.asarray(edge, np.float64) for edge in (west, south, east, north)))
        flat = [edge.ravel() for edge in edges]
        mask = np.zeros(flat[0].shape, np.bool_)
        for start, stop in self._pieces:
            around = _box_around(start, stop, self.radius_m)
            near = np.flatnonzero(~mask & around.mask(*flat))
            mask[near] = _within(start, stop, self.radius_m, *(edge[near] for edge in flat))
        return mask.reshape(edges[0].shape)

    def holds(self, west: ArrayLike, south: ArrayLike, east: ArrayLike, north: ArrayLike) -> _Mask:
        """None: what lies along a track is narrow."""
        return np.zeros(np.broadcast(west, south, east, north).shape, np.bool_)

    @property
    def bounds(self) -> Bounds:
        """A box around all that lies along the lines."""
        boxes = [_box_around(start, stop, self.radius_m).bounds for start, stop in self._pieces]
        west, east = narrowest_span(np.array([one.west for one in boxes]), np.array([one.east for one in boxes]))
        south, north = min(one.south for one in boxes), max(one.north for one in boxes)
        return Bounds(west, float(south), east, float(north))

    @cached_property
    def _pieces(self) -> list[tuple[_Floats, _Floats]]:
        """The lines in pieces of at most `_STEP_M`."""
        pieces = []
        for line in self.lines:
            for start, stop in pairwise(line):
                stop = np.array([start[0] + (stop[0] - start[0] + 180.0) % 360.0 - 180.0, stop[1]])
                length_m = float(np.hypot(*_metres(stop, start)))
                points = np.linspace(start, stop, 2 + int(length_m / _STEP_M))
                pieces += list(pairwise(points))
        return pieces


def read_area(path: Path) -> PolygonRegion:
    """The polygons of a GeoJSON file, all of them together.

    Raises:
        BadQuery: it is no GeoJSON, or holds no valid polygon.
        OSError: it cannot be read.
    """
    shapely = load_shapely()
    polygons = []
    for geometry in _geometries(path):
        if geometry.get("type") not in ("Polygon", "MultiPolygon"):
            raise BadQuery(f"{path} holds a {geometry.get('type')}; an area is a Polygon or a MultiPolygon")
        shape = _shape(path, geometry)
        _refuse_jumps(path, shape)
        if not shape.is_valid:
            raise BadQuery(f"{path} holds a polygon that is not valid: {shapely.is_valid_reason(shape)}")
        polygons.append(shape)
    return PolygonRegion(shapely.union_all(polygons))


def read_track(path: Path, radius_m: float) -> TrackRegion:
    """What lies within some metres of the lines of a GeoJSON file.

    Raises:
        BadQuery: it is no GeoJSON, or holds no line, or one near a pole; or the radius is not a positive number.
        OSError: it cannot be read.
    """
    if not (math.isfinite(radius_m) and radius_m > 0):
        raise BadQuery(f"radius_m is {radius_m}; give a positive number of metres")
    lines: list[_Floats] = []
    for geometry in _geometries(path):
        if geometry.get("type") not in ("LineString", "MultiLineString"):
            raise BadQuery(f"{path} holds a {geometry.get('type')}; a track is a LineString or a MultiLineString")
        shape = _shape(path, geometry)
        lines += [np.asarray(part.coords, np.float64)[:, :2] for part in getattr(shape, "geoms", [shape])]
    if max(float(np.abs(line[:, 1]).max()) for line in lines) > _MOST_LAT:
        raise BadQuery(f"{path} leads beyond {_MOST_LAT:g} degrees of latitude; give a box or a radius there")
    return TrackRegion(tuple(lines), radius_m)


def _geometries(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(read_plain(path, or_pipe=True))
    except (ValueError, RecursionError) as error:
        raise BadQuery(f"{path} is no JSON: {error}; give a GeoJSON file") from None
    if isinstance(content, dict):
        _require_degrees(path, content)
    found = list(_geometries_in(content)) if isinstance(content, dict) else []
    if not found:
        raise BadQuery(f"{path} holds no geometry; give a GeoJSON Feature, FeatureCollection or geometry")
    return found


def _geometries_in(content: dict[str, Any]) -> list[dict[str, Any]]:
    kind = content.get("type")
    if kind == "FeatureCollection":
        inside = [one for one in content.get("features") or [] if isinstance(one, dict)]
        return [geometry for feature in inside for geometry in _geometries_in(feature)]
    if kind == "Feature":
        return [content["geometry"]] if isinstance(content.get("geometry"), dict) else []
    return [content] if "coordinates" in content else []


def _shape(path: Path, geometry: dict[str, Any]) -> Any:
    shapely = load_shapely()
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except shapely.errors.GEOSException as error:
        raise BadQuery(f"{path} holds a {geometry.get('type')} that cannot be read: {error}") from None
    if shape is None or shape.is_empty:
        raise BadQuery(f"{path} holds an empty {geometry.get('type')}; give coordinates as longitude, latitude")
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadQuery(
            f"{path} holds coordinates from {west:g}, {south:g} to {east:g}, {north:g}; give degrees of WGS 84 as "
            "longitude, latitude, cut at the antimeridian"
        )
    return shape


def _refuse_jumps(path: Path, shape: Any) -> None:
    """Refuse a polygon over the antimeridian that is not cut there: its edge would go the other way round."""
    for part in getattr(shape, "geoms", [shape]):
        for ring in (part.exterior, *part.interiors):
            lons = np.asarray(ring.coords, np.float64)[:, 0]
            jumps = np.flatnonzero(np.abs(np.diff(lons)) > 180.0)
            for first, second in ((lons[jump], lons[jump + 1]) for jump in jumps):
                if abs(first) < 180.0 or abs(second) < 180.0:
                    raise BadQuery(
                        f"{path} holds an edge from longitude {first:g} to {second:g}, {abs(second - first):g} degrees "
                        "round the Earth; cut the polygon at the antimeridian, or put points between the two"
                    )


def _require_degrees(path: Path, content: dict[str, Any]) -> None:
    """Refuse another reference system, as GeoJSON of before 2016 could name one."""
    crs = content.get("crs")
    said = json.dumps(crs) if crs else "CRS84"
    if not re.search(r"CRS84|\b4326\b", said):
        raise BadQuery(f"{path} names the reference system {said[:80]}; give degrees of WGS 84 (EPSG:4326)")


def _metres(point: _Floats, origin: _Floats) -> tuple[float, float]:
    """(east, north) of a point, over flat ground around an origin."""
    east, north = np.radians(point - origin).tolist()
    return EARTH_RADIUS_M * east * math.cos(math.radians(origin[1])), EARTH_RADIUS_M * north


def _box_around(start: _Floats, stop: _Floats, radius_m: float) -> BoxRegion:
    (low_lon, low_lat), (high_lon, high_lat) = np.minimum(start, stop), np.maximum(start, stop)
    up = math.degrees(radius_m / EARTH_RADIUS_M) + _SLACK_DEG
    south, north = max(-90.0, low_lat - up), min(90.0, high_lat + up)
    side = up / math.cos(math.radians((start[1] + stop[1]) / 2))
    if high_lon - low_lon + 2 * side >= 360.0:
        return BoxRegion(Bounds(-180.0, south, 180.0, north))
    return BoxRegion(Bounds(normal_lon(low_lon - side), south, normal_lon(high_lon + side), north))


def _within(
    start: _Floats, stop: _Floats, radius_m: float, west: _Floats, south: _Floats, east: _Floats, north: _Floats
) -> _Mask:
    """Which boxes come within a radius of a short piece, on the plane that touches the ground at its middle."""
    shapely = load_shapely()
    middle = (start + stop) / 2
    across = EARTH_RADIUS_M * math.radians(1.0) * math.cos(math.radians(middle[1]))
    along = EARTH_RADIUS_M * math.radians(1.0)
    width = np.where(east >= west, east - west, east - west + 360.0)
    left = (west - middle[0] + 180.0) % 360.0 - 180.0
    bottom, top = (south - middle[1]) * along, (north - middle[1]) * along
    piece = shapely.linestrings([_metres(start, middle), _metres(stop, middle)])
    found: _Mask = shapely.dwithin(shapely.box(left * across, bottom, (left + width) * across, top), piece, radius_m)
    round_the_world = left + width > 180.0
    if round_the_world.any():
        left = left - 360.0
        again = shapely.dwithin(shapely.box(left * across, bottom, (left + width) * across, top), piece, radius_m)
        found |= round_the_world & again
    return found
