"""The answer as RFC 7946 GeoJSON, where coordinates are [lon, lat].

One polygon Feature for each match, best first, then one point Feature for the estimate.
"""

from __future__ import annotations

from typing import Any

from indexer.localization.geojson import tile_feature
from model.common.geo import Bounds
from service.schemas import LocalizeAnswer, Match

__all__ = ["GEO_JSON", "feature_collection"]

GEO_JSON = "application/geo+json"


def feature_collection(answer: LocalizeAnswer) -> dict[str, Any]:
    """The same content as the JSON answer; what is no feature stays beside `features`."""
    content = answer.model_dump(mode="json")
    return {
        "type": "FeatureCollection",
        "features": [*map(_match_feature, answer.matches), _estimate_feature(content["estimate"])],
        **{name: content[name] for name in ("estimate", "view", "warnings", "model", "index", "timings_ms")},
    }


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
