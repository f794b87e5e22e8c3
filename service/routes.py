"""The HTTP routes. They translate; the work is done by `Serving`."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Request, Response
from starlette.responses import JSONResponse, PlainTextResponse

from model._version import VERSION
from model.inputs.photo_view import GivenView
from service.concurrency.disconnects import unless_gone
from service.dependencies import (
    UPLOAD_PROBLEMS,
    EngineOfApp,
    MetricsOfApp,
    ServingOfApp,
    SettingsOfApp,
    no_empty_or_repeated_fields,
    problem,
    reader_of,
)
from service.formats import CSV, KML, as_csv, as_kml, preferred
from service.forms import FormRoute
from service.geojson import GEO_JSON, feature_collection
from service.schemas import (
    Info,
    LocalizeAnswer,
    LocalizeForm,
    OverviewInfo,
    Status,
    describe,
    json_answer,
    picture_zooms,
)
from service.telemetry import tell_steps

__all__ = ["router"]

router = APIRouter(route_class=FormRoute)


@router.post(
    "/localize",
    operation_id="localize",
    tags=["localize"],
    summary="Where was this photo taken?",
    response_model=LocalizeAnswer,
    dependencies=[Depends(no_empty_or_repeated_fields)],
    responses={
        200: {
            "content": {
                GEO_JSON: {"schema": {"type": "object", "title": "FeatureCollection"}},
                CSV: {"schema": {"type": "string"}},
                KML: {"schema": {"type": "string"}},
            }
        },
        422: problem(
            "The photo, a field or the area cannot be used; `detail` says why.",
            *("invalid-request", "bad-image", "no-tiles-in-region"),
        ),
        **UPLOAD_PROBLEMS,
    },
)
async def localize(
    request: Request,
    form: Annotated[LocalizeForm, Form(media_type="multipart/form-data")],
    serving: ServingOfApp,
    metrics: MetricsOfApp,
    accept: Annotated[str, Header(include_in_schema=False)] = "application/json",  # OpenAPI tells it by the answers
) -> Response:
    """Embed the photo, compare it with every tile of the area, and answer with the best tiles and one position."""
    given, region = GivenView(heading_deg=form.heading_deg, fov_deg=form.fov_deg), form.region

    answer = serving.localize(reader_of(form.panorama), given, region=region, top_k=form.top_k)
    began = time.perf_counter()
    found = await unless_gone(request, answer)
    waited_s = max(0.0, time.perf_counter() - began - found.seconds["total"])
    steps = found.seconds | {"wait": waited_s}
    metrics.steps(steps)
    tell_steps(steps)
    told = json_answer(found, serving.localizer, root=request.scope.get("root_path", ""))
    form_of_answer = preferred(accept)
    if form_of_answer == GEO_JSON:
        return JSONResponse(feature_collection(told), media_type=GEO_JSON)
    if form_of_answer == CSV:
        return Response(as_csv(told), media_type=CSV)
    if form_of_answer == KML:
        return Response(as_kml(told), media_type=KML)
    return JSONResponse(told.model_dump(mode="json"))


@router.get("/healthz", operation_id="healthz", tags=["operation"], summary="Is the process alive?")
async def healthz() -> Status:
    """Answers as long as the event loop turns."""
    return Status(status="ok")


@router.get(
    "/readyz",
    operation_id="readyz",
    tags=["operation"],
    summary="Can it localize?",
    responses={
        503: problem(
            "Model and index are not loaded, or do not match, or the index was changed on disk.",
            *("not-ready", "index-damaged"),
        )
    },
)
async def readyz(engine: EngineOfApp) -> Status:
    """Model and index are loaded, whole and belong together, and the service is not about to stop."""
    engine.require_ready()
    return Status(status="ready")


@router.get(
    "/info",
    operation_id="info",
    tags=["operation"],
    summary="Which model, which index?",
    responses={503: problem("Model and index are not loaded.", "not-ready")},
)
async def info(request: Request, serving: ServingOfApp, settings: SettingsOfApp) -> Info:
    """What this service runs and what a request may ask for."""
    model, index = describe(serving.localizer)
    tiles = serving.localizer.index
    bounds = tiles.bounds.as_tuple()
    shown = OverviewInfo(url=f"{request.scope.get('root_path', '')}/v1/overview.png", bounds=bounds)
    return Info(
        version=VERSION,
        model=model,
        index=index,
        bounds=bounds,
        zooms=picture_zooms(tiles),
        limits={"upload_mb": settings.max_upload_mb, "megapixels": settings.max_megapixels, "top_k": 100},
        overview=shown if serving.corpus.has_pictures else None,
    )


@router.get(
    "/metrics",
    operation_id="metrics",
    tags=["operation"],
    summary="Counters for Prometheus",
    response_class=PlainTextResponse,
)
def metrics_text(metrics: MetricsOfApp) -> Response:
    """Prometheus's text format."""
    return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
