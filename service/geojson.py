"""The answer as RFC 7946 GeoJSON, where coordinates are [lon, lat].

One polygon Feature for each match, best first, then one point Feature for the estimate.
"""

from __future__ import annotations

from typing import Any

from indexer.localization.geojson import tile_feature
from model.common.geo import Bounds
from service.schemas import LocalizeAnswer, Match

__all__ = ["GEO_JSON", "feature_collection", "wants_geojson"]

GEO_JSON = "application/geo+json"


def feature_collection(answer: LocalizeAnswer) -> dict[str, Any]:
    """The same content as the JSON answer; what is no feature stays beside `features`."""
    content = answer.model_dump(mode="json")
    return {
        "type": "FeatureCollection",
        "features": [*map(_match_feature, answer.matches), _estimate_feature(content["estimate"])],
        **{name: content[name] for name in ("estimate", "view", "warnings", "model", "index", "timings_ms")},
    }


def wants_geojson(accept: str) -> bool:
    """Whether an Accept header prefers GeoJSON to plain JSON."""
    quality = {"application/json": 0.0, GEO_JSON: 0.0}
    for part in accept.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if media_type in quality:
            quality[media_type] = max(quality[media_type], _quality(parameters))
    return quality[GEO_JSON] > 0 and quality[GEO_JSON] >= quality["application/json"]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def _match_feature(match: Match) -> dict[str, Any]:
    properties = {"kind": "match", **match.model_dump(mode="json", exclude={"bounds"})}
    return tile_feature(match.tile_id, Bounds(*match.bounds), properties)


def _estimate_feature(estimate: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": "estimate",
        "geometry": {"type": "Point", "coordinates": [estimate["lon"], estimate["lat"]]},
        "properties": {"kind": "estimate", **estimate},
    }
