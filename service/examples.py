"""Examples for OpenAPI: of every form and of every good answer, made of the models themselves.

They tell one story: a panorama of the demo region, taken on the tile 18/41231/171966, looking north.
"""

from __future__ import annotations

from typing import Any

from service.formats import CSV, JSON, KML, as_csv, as_kml
from service.geojson import GEO_JSON, feature_collection
from service.schemas import (
    Estimate,
    IndexInfo,
    Info,
    LocalizeAnswer,
    Match,
    ModelInfo,
    OverviewInfo,
    PhotoView,
    Status,
    TileJson,
    TileMatch,
    Timings,
)
from service.schemas_explain import ExplainAnswer, ExplainedPhoto, ExplainedTile, Heat, Line
from service.schemas_many import BatchLine, TrackAnswer, TrackPhoto
from service.together import JointPhoto, TogetherAnswer

__all__ = ["ANSWERS", "FORMS"]

_MODEL = ModelInfo(name="demo", digest="d342124d" * 8)
_INDEX = IndexInfo(name="demo-index", tiles=1024, digest="89874b7a" * 8)
_TILE_ID, _LAT, _LON = "18/41231/171966", -48.863360, -123.377151
_BOUNDS = (-123.377838, -48.863811, -123.376465, -48.862908)
_CORPUS = (-123.420410, -48.878722, -123.376465, -48.849814)
_VIEW = PhotoView(heading_deg=0.0, heading_source="photo", fov_deg=360.0, fov_source="photo")
_TIMINGS = Timings(decode=1.7, embed=8.6, search=12.7, total=23.2)
_TILE = TileMatch(
    rank=1, tile_id=_TILE_ID, lat=_LAT, lon=_LON, bounds=_BOUNDS, score=0.521, date=None, image_url=f"/tiles/{_TILE_ID}"
)
_ESTIMATE = Estimate(
    confidence=0.795, confidence_radius_m=100.4, no_confidence_because=None, lat=_LAT, lon=_LON, radius_m=4.8
)
_UNSURE = Estimate(
    confidence=None,
    confidence_radius_m=None,
    no_confidence_because="confidence was not fitted for several photos asked together",
    lat=_LAT,
    lon=_LON,
    radius_m=78.0,
)
_LOCALIZED = LocalizeAnswer(
    estimate=_ESTIMATE,
    matches=[Match(**_TILE.model_dump(), heading_deg=0.0)],
    view=_VIEW,
    warnings=[],
    model=_MODEL,
    index=_INDEX,
    timings_ms=_TIMINGS,
)
_TOGETHER = TogetherAnswer(
    estimate=_UNSURE,
    matches=[_TILE],
    photos=[
        JointPhoto(name="north.jpg", **_VIEW.model_dump(), found_heading_deg=0.0),
        JointPhoto(name="east.jpg", **_VIEW.model_dump() | {"heading_deg": None}, found_heading_deg=90.0),
    ],
    warnings=[],
    model=_MODEL,
    index=_INDEX,
    timings_ms=_TIMINGS,
)
_TRACK = TrackAnswer(
    photos=[
        TrackPhoto(
            number=0,
            name="a.jpg",
            lat=_LAT,
            lon=_LON,
            tile_id=_TILE_ID,
            score=0.521,
            rank=1,
            beyond_m=0.0,
            problem=None,
        ),
        TrackPhoto(
            number=1, name="b.jpg", lat=_LAT, lon=_LON, tile_id=None, score=None, rank=None, beyond_m=None, problem=None
        ),
    ],
    model=_MODEL,
    index=_INDEX,
)
_EXPLAINED = ExplainAnswer(
    score=0.521,
    heading_deg=0.0,
    photo=ExplainedPhoto(
        image="data:image/png;base64,iVBORw0KGgo=",
        width_px=128,
        height_px=32,
        vertical_deg=40.0,
        middle_deg=0.0,
        heat=Heat(rows=1, columns=2, values=[[0.3, 0.221]]),
    ),
    tile=ExplainedTile(
        tile_id=_TILE_ID,
        lat=_LAT,
        lon=_LON,
        bounds=_BOUNDS,
        image_url=f"/tiles/{_TILE_ID}",
        heat=Heat(rows=2, columns=1, values=[[0.4], [0.121]]),
    ),
    pairs=[[0.25, 0.05], [0.15, 0.071]],
    lines=[Line(photo=(0.25, 0.5), tile=(0.5, 0.25), contribution=0.25)],
    view=_VIEW,
    warnings=[],
    model=_MODEL,
    index=_INDEX,
)
_INFO = Info(
    version="0.1.0",
    model=_MODEL,
    index=_INDEX,
    bounds=_CORPUS,
    zooms=[18],
    limits={"upload_mb": 32, "megapixels": 64, "top_k": 100},
    overview=OverviewInfo(url="/v1/overview.png", bounds=_CORPUS),
)
_TILEJSON = TileJson(
    name="demo-index",
    tiles=["http://localhost:8000/v1/tiles/{z}/{x}/{y}"],
    minzoom=18,
    maxzoom=18,
    bounds=_CORPUS,
)
_METRICS = """# HELP clnet_requests_total Requests answered
# TYPE clnet_requests_total counter
clnet_requests_total{method="POST",route="/v1/localize",status="200"} 42.0
"""

ANSWERS: dict[str, dict[str, Any]] = {
    "localize": {
        JSON: _LOCALIZED.model_dump(mode="json"),
        GEO_JSON: feature_collection(_LOCALIZED),
        CSV: as_csv(_LOCALIZED),
        KML: as_kml(_LOCALIZED).decode(),
    },
    "localize_together": {JSON: _TOGETHER.model_dump(mode="json")},
    "localizeBatch": {
        "application/x-ndjson": BatchLine(number=0, name="a.jpg", answer=_LOCALIZED, problem=None).model_dump(
            mode="json"
        )
    },
    "localizeTrack": {JSON: _TRACK.model_dump(mode="json")},
    "explain": {JSON: _EXPLAINED.model_dump(mode="json")},
    "healthz": {JSON: Status(status="ok").model_dump()},
    "readyz": {JSON: Status(status="ready").model_dump()},
    "info": {JSON: _INFO.model_dump(mode="json")},
    "tilejson": {JSON: _TILEJSON.model_dump(mode="json")},
    "metrics": {"text/plain": _METRICS},
}
"""Operation -> media type of the good answer -> an example; pictures have none that JSON could hold."""

FORMS: dict[str, dict[str, Any]] = {
    "localize": {
        "panorama of unknown heading": {"heading_deg": "unknown", "top_k": 5},
        "ordinary photo in an area": {
            "fov_deg": 70,
            "heading_deg": 215,
            "near": "-48.8634,-123.3772",
            "radius_m": 2000,
        },
    },
    "localize_together": {"three photos": {"heading_deg": [0, 87.5, "unknown"], "fov_deg": [70]}},
    "localizeBatch": {"panoramas that look north": {"heading_deg": 0, "top_k": 1}},
    "localizeTrack": {"with times": {"times_s": "0,5,10", "max_speed_m_s": 15}},
    "explain": {"at its own heading": {"tile_id": _TILE_ID}},
}
"""Operation -> forms to send beside the photos, which are files."""
