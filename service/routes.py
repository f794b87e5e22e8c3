"""The HTTP routes. They translate; the work is done by `Localizer`, in the threads of `WorkerPool`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import FormData
from starlette.responses import JSONResponse

from indexer.localization.answer import Localization
from model._version import VERSION
from model.inputs.photo_view import GivenView
from service.concurrency.disconnects import unless_gone
from service.engine import Engine, Serving
from service.errors import PROBLEM_JSON, TileNotFound
from service.forms import FormRoute
from service.geojson import GEO_JSON, feature_collection, wants_geojson
from service.metrics import Metrics
from service.schemas import Info, LocalizeAnswer, LocalizeForm, Problem, Status, describe, json_answer, picture_zooms
from service.settings import Settings

__all__ = ["router"]

router = APIRouter(route_class=FormRoute)

_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM_JSON: {"schema": Problem.model_json_schema()}}}


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _serving(engine: Annotated[Engine, Depends(_engine)]) -> Serving:
    return engine.require()


def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _no_empty_or_repeated_fields(request: Request) -> None:
    """FastAPI takes an empty form field for an absent one; here it is a mistake of the client."""
    form: FormData = await request.form()
    mistakes = []
    for name in form:
        if len(form.getlist(name)) > 1:
            mistakes.append(_mistake(name, "is given more than once"))
        elif form[name] == "":
            mistakes.append(_mistake(name, "is empty; give a value, or leave the field out"))
    if mistakes:
        raise RequestValidationError(mistakes)


def _mistake(field: str, reason: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": ("body", field[:80]), "msg": reason, "input": None}


@router.post(
    "/localize",
    operation_id="localize",
    tags=["localize"],
    summary="Where was this photo taken?",
    response_model=LocalizeAnswer,
    dependencies=[Depends(_no_empty_or_repeated_fields)],
    responses={
        200: {"content": {GEO_JSON: {"schema": {"type": "object", "title": "FeatureCollection"}}}},
        400: _problem("The body is cut off or no multipart data, or has more files than the one."),
        408: _problem("The upload took too long."),
        413: _problem("The upload is too large."),
        422: _problem("The photo, a field or the area cannot be used; `detail` says why."),
        503: _problem("Busy or not ready; try again after `Retry-After` seconds."),
    },
)
async def localize(
    request: Request,
    form: Annotated[LocalizeForm, Form(media_type="multipart/form-data")],
    serving: Annotated[Serving, Depends(_serving)],
    metrics: Annotated[Metrics, Depends(_metrics)],
    accept: Annotated[str, Header(description=f"`{GEO_JSON}` for a FeatureCollection.")] = "application/json",
) -> Response:
    """Embed the photo, compare it with every tile of the area, and answer with the best tiles and one position."""
    given, region = GivenView(heading_deg=form.heading_deg, fov_deg=form.fov_deg), form.region

    def work(check: Callable[[], None]) -> Localization:
        # Read here, not in the event loop: only photos that are worked on are in memory.
        photo = form.panorama.file.read()
        return serving.localizer.localize(photo, given, region=region, top_k=form.top_k, check=check)

    found = await unless_gone(request, serving.pool.run(work))
    metrics.steps(found.seconds)
    answer = json_answer(found, serving.localizer, root=request.scope.get("root_path", ""))
    if wants_geojson(accept):
        return JSONResponse(feature_collection(answer), media_type=GEO_JSON)
    return JSONResponse(answer.model_dump(mode="json"))


@router.get(
    "/tiles/{z}/{x}/{y}",
    operation_id="tile",
    tags=["corpus"],
    summary="The picture of one tile of the corpus",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in sorted(_PICTURES)}}, 404: _problem("No such tile.")},
)
def tile(
    z: int,
    x: int,
    y: int,
    serving: Annotated[Serving, Depends(_serving)],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The corpus as a map layer, in the XYZ scheme of Web Mercator: y grows to the south."""
    picture = serving.localizer.index.tile_image(z, x, y)
    if picture is None or picture.media_type not in _PICTURES:
        raise TileNotFound(f"the index has no picture of tile {z}/{x}/{y}")
    etag = f'"{hashlib.sha256(picture.data).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "public, max-age=3600"}
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(picture.data, media_type=picture.media_type, headers=headers)


@router.get("/healthz", operation_id="healthz", tags=["operation"], summary="Is the process alive?")
async def healthz() -> Status:
    """Answers as long as the event loop turns."""
    return Status(status="ok")


@router.get(
    "/readyz",
    operation_id="readyz",
    tags=["operation"],
    summary="Can it localize?",
    responses={503: _problem("Model and index are not loaded, or do not match.")},
)
async def readyz(_: Annotated[Serving, Depends(_serving)]) -> Status:
    """Model and index are loaded and belong together."""
    return Status(status="ready")


@router.get("/info", operation_id="info", tags=["operation"], summary="Which model, which index?")
async def info(
    serving: Annotated[Serving, Depends(_serving)], settings: Annotated[Settings, Depends(_settings)]
) -> Info:
    """What this service runs and what a request may ask for."""
    model, index = describe(serving.localizer)
    tiles = serving.localizer.index
    return Info(
        version=VERSION,
        model=model,
        index=index,
        bounds=tiles.manifest.bounds.as_tuple(),
        zooms=picture_zooms(tiles),
        limits={"upload_mb": settings.max_upload_mb, "megapixels": settings.max_megapixels, "top_k": 100},
    )


@router.get("/metrics", operation_id="metrics", tags=["operation"], summary="Counters for Prometheus")
def metrics_text(metrics: Annotated[Metrics, Depends(_metrics)]) -> Response:
    """Prometheus's text format."""
    return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
