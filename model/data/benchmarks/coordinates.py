"""Coordinates as benchmark files give them, checked against where the benchmark lies, so that the mistake is named."""

from __future__ import annotations

import math

from model.common.errors import BadCoordinates, BadDataset
from model.common.geo import Bounds, LatLon

__all__ = ["offset_px", "parse_place"]


def parse_place(lat: str, lon: str, area: Bounds, where: str) -> LatLon:
    """Two texts as a place inside an area.

    Args:
        lat: decimal degrees.
        lon: likewise.
        area: where all places of the data set lie.
        where: how a message names the file and line.

    Raises:
        BadDataset: not decimal degrees, swapped, in degrees and minutes, or somewhere else.
    """
    try:
        values = float(lat), float(lon)
    except ValueError:
        values = math.nan, math.nan
    if not all(map(math.isfinite, values)):
        raise BadDataset(f"{where}: the coordinates {lat!r}, {lon!r} are not two numbers of decimal degrees")
    if _lies_in(area, *values):
        return LatLon(*values)
    found = f"{where}: {values[0]}, {values[1]}"
    if _lies_in(area, values[1], values[0]):
        raise BadDataset(f"{found} is longitude, latitude; give latitude, longitude")
    if _lies_in(area, *map(_from_degrees_minutes, values)):
        raise BadDataset(f"{found} is in degrees and minutes (DDMM.mmm); give decimal degrees")
    box = f"latitude {area.south:g} to {area.north:g}, longitude {area.west:g} to {area.east:g}"
    raise BadDataset(f"{found} lies outside the data set's area ({box}); give latitude, longitude in decimal degrees")


def offset_px(place: LatLon, centre: LatLon, zoom: int) -> tuple[float, float]:
    """(right, down) in pixels of a Web Mercator level of 256 px tiles, from the centre of a tile to a place near it."""
    px_per_degree = 256 * 2**zoom / 360
    down = -(place.lat - centre.lat) * px_per_degree / math.cos(math.radians(centre.lat))
    return (place.lon - centre.lon) * px_per_degree, down


def _lies_in(area: Bounds, lat: float, lon: float) -> bool:
    try:
        return area.contains(LatLon(lat, lon))
    except BadCoordinates:
        return False


def _from_degrees_minutes(value: float) -> float:
    """-12213.5 -> -122.225."""
    degrees = math.trunc(value / 100)
    return degrees + (value - degrees * 100) / 60
