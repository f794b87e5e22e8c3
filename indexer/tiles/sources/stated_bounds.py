"""Bounds as descriptions of tiles write them: numbers, corners, text or edges by name, in degrees or metres."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from indexer.tiles.grid import MERCATOR_HALF_M
from model.common.geo import Bounds, normal_lon

__all__ = ["either_order", "in_degrees", "place_of", "read_box", "stated_boxes"]

_KEYS = ("bounds", "extent", "fullExtent")
"""The last is ArcGIS's."""
_EDGES = (
    ("west", "south", "east", "north"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("minx", "miny", "maxx", "maxy"),
    ("left", "bottom", "right", "top"),
    ("minlon", "minlat", "maxlon", "maxlat"),
)
_CORNERS = ("southwest", "northeast"), ("sw", "ne"), ("lowerleft", "upperright"), ("min", "max")
_PLACES = ("lng", "lat"), ("lon", "lat"), ("longitude", "latitude"), ("x", "y")
_DEGREES_OF = 180.0 / MERCATOR_HALF_M
_LARGEST_DEG = 1000.0
"""Degrees by mistake are below, metres above: nobody's tiles are all within 1 km of 0, 0."""
_WORLD_DEG = 84.0


def stated_boxes(values: Mapping[str, Any]) -> tuple[tuple[Bounds, ...], str]:
    """(the boxes that a document's bounds may mean, the bounds as they stand where nothing can be read in them).

    The whole world says nothing, since writers leave it that know no bounds; another key may say more.
    """
    unread = ""
    for key in _KEYS:
        said = values.get(key)
        if not _says(key, said):
            continue
        boxes = _readings(said)
        if boxes and not any(map(_is_whole_world, boxes)):
            return boxes, ""
        unread = unread or ("" if boxes else str(said))
    return (), unread


def read_box(values: Any) -> Bounds | None:
    """Bounds as four numbers, as text, or under the names of edges, west first, in degrees; None where that is none.

    East may lie beyond 180 degrees, and north may come before south, as in a corner above and one below. A box without
    extent, as a writer that knows none leaves it, is none.
    """
    try:
        west, south, east, north = in_degrees([float(part) for part in _numbers_of(values)])
    except (TypeError, ValueError, OverflowError):
        return None
    south, north = min(south, north), max(south, north)
    if not all(map(math.isfinite, (west, south, east, north))) or south >= north or west == east:
        return None
    if max(abs(west), abs(east)) > 540.0 or max(abs(south), abs(north)) > 90.1:
        return None
    if east - west >= 360.0:
        west, east = -180.0, 180.0
    return Bounds(normal_lon(west), max(south, -90.0), normal_lon(east), min(north, 90.0))


def either_order(edges: list[Any]) -> tuple[Bounds, ...]:
    """Two corners as four numbers, read as they are and with the numbers of each exchanged."""
    turned = [edges[index] for index in (1, 0, 3, 2)] if len(edges) == 4 else []
    return tuple(box for box in (read_box(edges), read_box(turned)) if box is not None)


def in_degrees(edges: list[float]) -> list[float]:
    """Edges as they are, unless they can only be metres of Web Mercator."""
    if len(edges) != 4 or not _LARGEST_DEG < max(map(abs, edges)) <= 1.01 * MERCATOR_HALF_M:
        return edges
    lats = np.degrees(np.arctan(np.sinh(np.clip(np.array(edges[1::2]) / MERCATOR_HALF_M, -1, 1) * np.pi)))
    return [edges[0] * _DEGREES_OF, float(lats[0]), edges[2] * _DEGREES_OF, float(lats[1])]


def place_of(values: Any) -> tuple[float, ...]:
    """The first two numbers of a place, or those under their names, longitude first; none where that is none."""
    try:
        numbers = _named(values, _PLACES) if isinstance(values, Mapping) else _numbers_of(values)
        lon, lat = (float(part) for part in numbers[:2])
    except (TypeError, ValueError, OverflowError):
        return ()
    return lon, lat


def _numbers_of(values: Any) -> list[Any]:
    """Numbers as a list, by name, or as text between commas, semicolons or spaces and perhaps in brackets."""
    if isinstance(values, str) and values.count(";") >= 3:  # so a comma can only be a decimal one
        values = values.replace(",", ".")
    if isinstance(values, Mapping):
        return _named(values, _EDGES)
    return re.split(r"\s*[,;]\s*|\s+", values.strip(" \t\r\n[]()")) if isinstance(values, str) else list(values)


def _readings(values: Any) -> tuple[Bounds, ...]:
    """The boxes that bounds may mean: two corners are pairs of longitude and latitude, or Leaflet's, latitude first."""
    corners = _named(values, _CORNERS) if isinstance(values, Mapping) else values
    if not (isinstance(corners, list) and len(corners) == 2):
        return _only(read_box(values))
    if all(isinstance(one, Mapping) for one in corners):
        return _only(read_box([part for one in corners for part in _named(one, _PLACES)]))
    if all(isinstance(one, list) for one in corners):
        return either_order([part for one in corners for part in one])
    return ()


def _only(box: Bounds | None) -> tuple[Bounds, ...]:
    return () if box is None else (box,)


def _named(values: Mapping[str, Any], names: tuple[tuple[str, ...], ...]) -> list[Any]:
    """What stands under the first of these groups of names that is there whole, however they are spelled."""
    found = {re.sub(r"[\W_]", "", str(name).lower()): value for name, value in values.items()}
    return next(([found[name] for name in group] for group in names if found.keys() >= set(group)), [])


def _is_whole_world(box: Bounds) -> bool:
    return box.as_tuple()[::2] == (-180.0, 180.0) and min(-box.south, box.north) > _WORLD_DEG


def _says(key: str, value: Any) -> bool:
    """Whether a key gives bounds; vector tiles have a number as their extent."""
    if value in (None, "", [], {}):
        return False
    return key == _KEYS[0] or isinstance(value, Mapping | list) or len(_numbers_of(str(value))) == 4
