"""Footprints and matches as GeoJSON (RFC 7946): WGS 84, coordinates (lon, lat), rings counter-clockwise."""

from __future__ import annotations

from typing import Any

from indexer.folder import TileIndex
from indexer.search import SearchResult
from model.geo import Bounds

__all__ = ["footprint", "match_features"]


def footprint(bounds: Bounds) -> dict[str, Any]:
    """A box as a geometry; one that crosses the antimeridian is cut there, as the standard asks."""
    west, south, east, north = bounds.as_tuple()
    if not bounds.crosses_antimeridian:
        return {"type": "Polygon", "coordinates": [_ring(west, south, east, north)]}
    halves = [[_ring(west, south, 180.0, north)], [_ring(-180.0, south, east, north)]]
    return {"type": "MultiPolygon", "coordinates": halves}


def match_features(index: TileIndex, result: SearchResult) -> dict[str, Any]:
    """A search result as a FeatureCollection, best match first."""
    features = []
    for rank, (row, score) in enumerate(zip(result.rows.tolist(), result.scores.tolist(), strict=True), start=1):
        tile = index.tile(row)
        features.append(
            {
                "type": "Feature",
                "id": tile.tile_id,
                "bbox": list(tile.bounds.as_tuple()),
                "geometry": footprint(tile.bounds),
                "properties": {"rank": rank, "score": score, "lat": tile.lat, "lon": tile.lon},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]
