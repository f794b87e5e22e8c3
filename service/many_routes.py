"""The addresses that take several photos: answered as they finish, or as one track."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from starlette.responses import StreamingResponse

from indexer.localization.answer import Localization
from indexer.localization.track import Candidates, TrackPoint, find_track
from indexer.tiles.region import Region
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
from service.errors import WorkerLost, is_fault, problem_kind, problem_of, tell_fault
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
_Found = Localization | Exception
_Answers = AsyncGenerator[tuple[int, _Found]]


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
    """One line of JSON for each photo, in the order in which they are answered; one that fails is a line, too.

    A fault of the server before the first line is the status of the whole answer, after it that of a line.
    """
    root = request.scope.get("root_path", "")
    view, region = GivenView(heading_deg=form.heading_deg, fov_deg=form.fov_deg), form.region
    answers = _answers(serving, metrics, form.panorama, view, region, form.top_k)
    first = await unless_gone(request, _until_one_is_answered(answers))

    async def lines() -> AsyncIterator[bytes]:
        async with aclosing(answers):
            for number, found in first:
                yield encoded(number, found)
            async for number, found in answers:
                yield encoded(number, found)

    def encoded(number: int, found: _Found) -> bytes:
        return json.dumps(line(number, found), ensure_ascii=False).encode() + b"\n"

    def line(number: int, found: _Found) -> dict[str, Any]:
        name = _name(form.panorama[number])
        if isinstance(found, Exception):
            tell_fault(found)
            metrics.refused(problem_kind(found).slug)
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
    """The most plausible way through the matches of photos that were taken one after the other.

    A fault of the server at one photo is that of the whole answer: the way would be another with it.
    """
    view, region = GivenView(heading_deg=form.heading_deg, fov_deg=form.fov_deg), form.region
    answers = _answers(serving, metrics, form.panorama, view, region, _MATCHES_OF_A_TRACK)
    found = await unless_gone(request, _all_of(answers))
    if all(isinstance(one, Exception) for one in found):
        raise next(one for one in found if isinstance(one, Exception))
    candidates = [None if isinstance(one, Exception) else candidates_of(one) for one in found]
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
) -> _Answers:
    """Each photo's number and answer, or why it has none, as they finish; all end when nobody reads on."""
    places = asyncio.Semaphore(min(_AT_ONCE, serving.line.limit))

    async def one(number: int) -> tuple[int, _Found]:
        async with places:
            try:
                answer = await serving.localize(reader_of(photos[number]), view, region=region, top_k=top_k)
            except Exception as error:
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


async def _until_one_is_answered(answers: _Answers) -> list[tuple[int, _Found]]:
    """The first answers, up to one that is no fault of the server. No status has been sent until then.

    Raises:
        Exception: a fault that is that of every photo, or the first where no photo has another answer.
    """
    first: list[tuple[int, _Found]] = []
    try:
        async for number, found in answers:
            first.append((number, found))
            if not isinstance(found, Exception) or not is_fault(found):
                return first
            if not _may_be_of_one_photo(found):
                raise found
    except BaseException:
        await answers.aclose()  # ends what works on the others
        raise
    raise next(found for _, found in first if isinstance(found, Exception))


async def _all_of(answers: _Answers) -> list[_Found]:
    """The answers in the order of the photos.

    Raises:
        Exception: the first fault of the server.
    """
    by_number: dict[int, _Found] = {}
    async with aclosing(answers):
        async for number, found in answers:
            if isinstance(found, Exception) and is_fault(found):
                raise found
            by_number[number] = found
    return [by_number[number] for number in range(len(by_number))]


def _may_be_of_one_photo(fault: Exception) -> bool:
    """Whether the others may be answered all the same: its decoder died, or it met a defect."""
    return isinstance(fault, WorkerLost) or problem_kind(fault).status == 500


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
        beyond_m=None if point.beyond_m is None else round(point.beyond_m, 1),
        problem=problem_of(found) if isinstance(found, Exception) else None,
    )


def _name(upload: UploadFile) -> str:
    return (upload.filename or "")[:200]
