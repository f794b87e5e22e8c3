"""What a reference system says of its use: the area that it is made for, and by which datum it is tied to the Earth."""

from __future__ import annotations

import re
from typing import Any

from indexer.common.optional import load_rasterio
from model.common.geo import Bounds, LatLon

__all__ = ["doubts_of_area", "doubts_of_datum"]

_BOX = re.compile(r"BBOX\[([-\d.]+),\s*([-\d.]+),\s*([-\d.]+),\s*([-\d.]+)\]")
_DATUM = re.compile(r'DATUM\["(?:unknown|not[ _]specified|undefined|user[ _-]defined)', re.IGNORECASE)
_ELLIPSOID = re.compile(r'ELLIPSOID\["([^"]*)",([\d.]+),([\d.]+)')
_AS_WGS84_M = 10.0
_BESIDE_DEG = 1.0
"""A raster may well have its middle this far beyond the edge, as neighbours of a zone's do."""


def doubts_of_area(crs: Any, bounds: Bounds) -> list[str]:
    """A remark on a raster whose middle lies beyond the area of its reference system, as PROJ's database has it.

    Args:
        crs: of the raster.
        bounds: of the raster, in degrees.
    """
    area = _area(crs)
    centre = bounds.centre
    if area is None or _within(area, centre, crs):
        return []
    return [
        f"it lies at {centre.lat:.4f}, {centre.lon:.4f}, beyond the area that {':'.join(crs.to_authority())} is made "
        f"for ({area.west:g}, {area.south:g}, {area.east:g}, {area.north:g}: west, south, east, north); are its "
        "coordinates of another system, or in another unit?"
    ]


def doubts_of_datum(crs: Any) -> list[str]:
    """A remark on a system that is tied to the Earth by no known datum, on another ellipsoid than those of WGS 84.

    Spheres are what global products are computed on, and mean latitudes as they are.
    """
    try:
        text = crs.to_wkt(version="WKT2_2019")
    except Exception:  # GDAL's errors have no common base
        return []
    ellipsoid = _ELLIPSOID.search(text)
    if ellipsoid is None or text.startswith("BOUNDCRS") or not _DATUM.search(text):
        return []
    name, longest_m, flattening = ellipsoid[1], float(ellipsoid[2]), float(ellipsoid[3])
    if not flattening or abs(longest_m - 6_378_137.0) < _AS_WGS84_M:
        return []
    return [
        f"its datum is unknown, so how its ellipsoid ({name}) lies to that of WGS 84 is, too: all places may be some "
        "hundred metres off. Give the file its full reference system, such as an EPSG code"
    ]


def _area(crs: Any) -> Bounds | None:
    """None where the system has no name in a database."""
    try:
        authority = crs.to_authority()
        known = None if authority is None else load_rasterio().crs.CRS.from_authority(*authority)
        found = _BOX.findall("" if known is None else known.to_wkt(version="WKT2_2019"))
    except Exception:  # GDAL's errors have no common base
        return None
    if not found:
        return None
    south, west, north, east = map(float, found[-1])
    return Bounds(west, max(south, -90.0), east, min(north, 90.0))


def _within(area: Bounds, place: LatLon, crs: Any) -> bool:
    """UTM zones of the northern hemisphere are used southwards, too, with negative northings."""
    either_half = crs.to_dict().get("proj") == "utm"
    across = (place.lon - area.west + _BESIDE_DEG) % 360.0 <= (area.east - area.west) % 360.0 + 2 * _BESIDE_DEG
    whole_turn = area.west <= -180.0 and area.east >= 180.0
    upright = area.south - _BESIDE_DEG <= place.lat <= area.north + _BESIDE_DEG
    return (across or whole_turn) and (upright or either_half)
