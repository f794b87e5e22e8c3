"""The addresses that take several photos: answered as they finish, or as one track."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from starlette.responses import StreamingResponse

from indexer.localization.answer import Localization
from indexer.localization.track import Candidates, TrackPoint, find_track
from indexer.tiles.region import Region
from model.common.errors import GeoLocalizationError
from model.common.geo import LatLon, great_circle_m
from model.inputs.photo_view import GivenView
from service.answering import Serving
from service.concurrency.disconnects import unless_gone
from service.dependencies import (
    UPLOAD_PROBLEMS,
    MetricsOfApp,
    ServingOfApp,
    only_photos_repeated,
    problem,
    reader_of,
)
from service.errors import problem_of, tell_fault
from service.forms import FormRoute
from service.metrics import Metrics
from service.schemas import describe, json_answer
from service.schemas_many import MAX_PHOTOS, BatchForm, BatchLine, TrackAnswer, TrackForm, TrackPhoto

__all__ = ["NDJSON", "candidates_of", "router", "tile_side_m"]

router = APIRouter(route_class=FormRoute, tags=["localize"], dependencies=[Depends(only_photos_repeated)])

NDJSON = "application/x-ndjson"
_AT_ONCE = 8
"""Photos of one request in the line, so that others have room."""
_MATCHES_OF_A_TRACK = 20
_ERRORS: dict[int | str, dict[str, Any]] = {
    422: problem("A field or the area cannot be used; `detail` says why.", "invalid-request"),
    **UPLOAD_PROBLEMS,
}
_NO_PHOTO: dict[int | str, dict[str, Any]] = {
    422: problem(
        "A field, the area or every photo cannot be used; `detail` says why.",
        *("invalid-request", "bad-image", "no-tiles-in-region"),
    )
}
_LIMITS: Any = {"max_files": MAX_PHOTOS, "max_fields": 16, "max_part_size": 8192}
_Found = Localization | GeoLocalizationError


class _LinesResponse(StreamingResponse):
    """An answer that comes line by line."""

    media_type = NDJSON


@router.post(
    "/localize/batch",
    operation_id="localizeBatch",
    summary="Where was each of these photos taken?",
    response_class=_LinesResponse,
    form_limits=_LIMITS,
    responses={200: {"model": BatchLine, "description": "A line for each photo."}, **_ERRORS},
)
async def localize_batch(
    request: Request,
    form: Annotated[BatchForm, Form(media_type="multipart/form-data")],
    serving: ServingOfApp,
    metrics: MetricsOfApp,
) -> _LinesResponse:
    """One line of JSON for each photo, in the order in which they are answered; one that fails is a line, too."""
    root = request.scope.get("root_path", "")
    view, region = GivenView(heading_deg=form.heading_deg, fov_deg=form.fov_deg), form.region

    async def lines() -> AsyncIterator[bytes]:
        async for number, found in _answers(serving, metrics, form.panorama, view, region, form.top_k):
            yield json.dumps(line(number, found), ensure_ascii=False).encode() + b"\n"

    def line(number: int, found: _Found) -> dict[str, Any]:
        name = _name(form.panorama[number])
        if isinstance(found, GeoLocalizationError):
            return BatchLine(number=number, name=name, answer=None, problem=problem_of(found)).model_dump(mode="json")
        answer = json_answer(found, serving.localizer, root=root)
        return BatchLine(number=number, name=name, answer=answer, problem=None).model_dump(mode="json")

    return _LinesResponse(lines())


@router.post(
    "/localize/track",
    operation_id="localizeTrack",
    summary="Which way was taken, seen from these photos?",
    form_limits=_LIMITS,
    responses=_ERRORS | _NO_PHOTO,
)
async def localize_track(
    request: Request,
    form: Annotated[TrackForm, Form(media_type="multipart/form-data")],
    serving: ServingOfApp,
    metrics: MetricsOfApp,
) -> TrackAnswer:
    """The most plausible way through the matches of photos that were taken one after the other."""
    view, region = GivenView(heading_deg=form.heading_deg, fov_deg=form.fov_deg), form.region

    async def work() -> list[_Found]:
        answers = _answers(serving, metrics, form.panorama, view, region, _MATCHES_OF_A_TRACK)
        found = {number: answer async for number, answer in answers}
        return [found[number] for number in range(len(form.panorama))]

    found = await unless_gone(request, work())
    if all(isinstance(one, GeoLocalizationError) for one in found):
        raise next(one for one in found if isinstance(one, GeoLocalizationError))
    candidates = [None if isinstance(one, GeoLocalizationError) else candidates_of(one) for one in found]
    tile_m = next(tile_side_m(one) for one in found if isinstance(one, Localization))
    points = await asyncio.to_thread(find_track, candidates, reach_m=form.reach_m(), tile_m=tile_m)
    model, index = describe(serving.localizer)
    photos = [_photo(number, form.panorama[number], found[number], point) for number, point in enumerate(points)]
    return TrackAnswer(photos=photos, model=model, index=index)


async def _answers(
    serving: Serving,
    metrics: Metrics,
    photos: list[UploadFile],
    view: GivenView,
    region: Region | None,
    top_k: int,
) -> AsyncIterator[tuple[int, _Found]]:
    """Each photo's number and answer, or why it has none, as they finish; all end when nobody reads on."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> tuple[int, _Found]:
        async with places:
            try:
                answer = await serving.localize(reader_of(photos[number]), view, region=region, top_k=top_k)
            except GeoLocalizationError as error:
                tell_fault(error)
                return number, error
            metrics.steps(answer.seconds)
            return number, answer

    tasks = [asyncio.create_task(one(number)) for number in range(len(photos))]
    try:
        for finished in asyncio.as_completed(tasks):
            yield await finished
    finally:
        for task in tasks:
            task.cancel()


def candidates_of(found: Localization) -> Candidates:
    """What a track may choose from at one photo."""
    return Candidates(
        tuple(match.place for match in found.matches),
        tuple(match.score for match in found.matches),
    )


def tile_side_m(found: Localization) -> float:
    """Height of the best tile on the ground."""
    bounds = found.matches[0].tile.bounds
    return great_circle_m(LatLon(bounds.south, bounds.west), LatLon(bounds.north, bounds.west))


def _photo(number: int, upload: UploadFile, found: _Found, point: TrackPoint) -> TrackPhoto:
    match = found.matches[point.match] if isinstance(found, Localization) and point.match is not None else None
    return TrackPhoto(
        number=number,
        name=_name(upload),
        lat=point.place.lat,
        lon=point.place.lon,
        tile_id=None if match is None else match.tile.tile_id,
        score=None if match is None else match.score,
        rank=None if match is None else match.rank,
        problem=problem_of(found) if isinstance(found, GeoLocalizationError) else None,
    )


def _name(upload: UploadFile) -> str:
    return (upload.filename or "")[:200]
