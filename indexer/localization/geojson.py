"""Footprints and matches as GeoJSON (RFC 7946): WGS 84, coordinates (lon, lat), rings counter-clockwise."""

from __future__ import annotations

from typing import Any

from indexer.localization.answer import Localization
from model.common.geo import Bounds

__all__ = ["footprint", "match_features", "tile_feature"]


def footprint(bounds: Bounds) -> dict[str, Any]:
    """A box as a geometry; one that crosses the antimeridian is cut there, as the standard asks."""
    west, south, east, north = bounds.as_tuple()
    if not bounds.crosses_antimeridian:
        return {"type": "Polygon", "coordinates": [_ring(west, south, east, north)]}
    halves = [[_ring(west, south, 180.0, north)], [_ring(-180.0, south, east, north)]]
    return {"type": "MultiPolygon", "coordinates": halves}


def tile_feature(tile_id: str, bounds: Bounds, properties: dict[str, Any]) -> dict[str, Any]:
    """A tile as a Feature: its footprint, and what is known of it."""
    return {
        "type": "Feature",
        "id": tile_id,
        "bbox": list(bounds.as_tuple()),
        "geometry": footprint(bounds),
        "properties": properties,
    }


def match_features(found: Localization) -> dict[str, Any]:
    """What a photo matches as a FeatureCollection, best first; warnings stay beside `features`."""
    features = []
    for match in found.matches:
        tile = match.tile
        about: dict[str, Any] = {"rank": match.rank, "score": match.score, "lat": tile.lat, "lon": tile.lon}
        about["heading_deg"] = match.heading_deg
        if tile.date is not None:
            about["date"] = tile.date
        features.append(tile_feature(tile.tile_id, tile.bounds, about))
    return {"type": "FeatureCollection", "features": features, "warnings": list(found.warnings)}


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]
