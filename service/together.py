"""`POST /localize/together`: several photos of one place in, one answer out.

The photos are repeated parts `panorama`; `heading_deg` and `fov_deg`, where they are given, are repeated in the same
order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Form, Request, Response, UploadFile
from pydantic import BaseModel, BeforeValidator, Field, model_validator
from starlette.responses import JSONResponse

from indexer.localization.answer import ANGLE_DIGITS, PreparedPhoto
from indexer.localization.localizer import Localizer
from indexer.localization.together import JointLocalization
from model.common.errors import BadCoordinates, BadImage
from model.common.geo import normal_heading
from model.inputs.photo_view import GivenView
from service.answering import Serving
from service.concurrency.disconnects import unless_gone
from service.dependencies import UPLOAD_PROBLEMS, check_fields, problem, reader_of
from service.forms import FormRoute
from service.schemas import (
    Estimate,
    IndexInfo,
    ModelInfo,
    PhotoView,
    SearchForm,
    TileMatch,
    Timings,
    json_answer,
)

__all__ = ["MOST_PHOTOS", "TogetherAnswer", "TogetherForm", "router"]

MOST_PHOTOS = 16
"""Photos in one request; all of them together must fit into the limit of an upload."""

_FORM_LIMITS: Any = {"max_files": MOST_PHOTOS, "max_fields": 2 * MOST_PHOTOS + 8, "max_part_size": 1024}
_A_PHOTO_EACH = ("panorama", "heading_deg", "fov_deg")

router = APIRouter(route_class=FormRoute)


def _heading(value: Any) -> Any:
    if value in ("unknown", "photo"):
        return value
    try:
        return normal_heading(float(value))
    except (TypeError, ValueError, BadCoordinates):
        reason = f"{value!r} is neither 'unknown', 'photo' nor degrees clockwise from north in [-360, 360]"
        raise ValueError(reason) from None


class TogetherForm(SearchForm):
    """The fields of `POST /localize/together`."""

    panorama: list[UploadFile] = Field(
        min_length=1,
        max_length=MOST_PHOTOS,
        description="The photos, taken within some metres of each other, each a part of its own: JPEG, PNG, WebP, "
        "TIFF, AVIF or HEIC.",
    )
    heading_deg: list[Annotated[float | Literal["unknown", "photo"], BeforeValidator(_heading)]] = Field(
        [],
        description="One for each photo, in their order: where its centre column looks, in degrees clockwise from "
        "north; `unknown` to try all; `photo` for what the photo says of itself. Left out: `photo` for every one.",
        examples=[[0, 87.5, "unknown"]],
    )
    fov_deg: list[Annotated[float, Field(gt=0, le=360, allow_inf_nan=False)]] = Field(
        [],
        description="One for each photo, in their order, or one for all: its horizontal field of view in degrees. "
        "Left out: what the photos say of themselves.",
        examples=[[70]],
    )

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        photos, headings, angles = len(self.panorama), len(self.heading_deg), len(self.fov_deg)
        if headings not in (0, photos):
            raise ValueError(f"heading_deg is given {headings} times for {photos} photos; give one for each, or none")
        if angles not in (0, 1, photos):
            raise ValueError(f"fov_deg is given {angles} times for {photos} photos; give one for each, or one for all")
        return self

    @property
    def views(self) -> list[GivenView]:
        """What is said of each photo."""
        photos = len(self.panorama)
        headings = [None if heading == "photo" else heading for heading in self.heading_deg] or [None] * photos
        angles: list[float | None] = (
            [*self.fov_deg] * photos if len(self.fov_deg) == 1 else [*self.fov_deg] or [None] * photos
        )
        return [GivenView(heading_deg=one, fov_deg=wide) for one, wide in zip(headings, angles, strict=True)]


class JointPhoto(PhotoView):
    """One of the photos: how it was taken to look."""

    name: str = Field(description="The part's file name, as it was sent.", examples=["north.jpg"])
    found_heading_deg: float = Field(description="Where its centre looks, if the best match is right; given or found.")


class TogetherAnswer(BaseModel):
    """Where the photos may have been taken."""

    estimate: Estimate
    matches: list[TileMatch] = Field(description="Best first; a score is the mean over the photos.")
    photos: list[JointPhoto] = Field(description="In the order of the parts.")
    warnings: list[str] = Field(description="What speaks against the photos, or against what is said of them.")
    model: ModelInfo
    index: IndexInfo
    timings_ms: Timings


async def _no_empty_or_repeated_fields(request: Request) -> None:
    await check_fields(request, many=_A_PHOTO_EACH)


@router.post(
    "/localize/together",
    operation_id="localize_together",
    tags=["localize"],
    summary="Where were these photos of one place taken?",
    response_model=TogetherAnswer,
    form_limits=_FORM_LIMITS,
    dependencies=[Depends(_no_empty_or_repeated_fields)],
    responses={
        422: problem(
            "A photo, a field or the area cannot be used; `detail` says which, and why.",
            *("invalid-request", "bad-image", "no-tiles-in-region", "too-many-tiles", "not-in-database"),
        ),
        **UPLOAD_PROBLEMS,
    },
)
async def localize_together(
    request: Request, form: Annotated[TogetherForm, Form(media_type="multipart/form-data")]
) -> Response:
    """Add the scores of all photos tile by tile, and answer once. One photo that cannot be used fails the request."""
    serving = request.app.state.engine.require()
    joint = await unless_gone(request, _answer(serving, form))
    request.app.state.metrics.steps(joint.found.seconds)
    answer = _as_answer(joint, form, serving.localizer, request.scope.get("root_path", ""))
    return JSONResponse(answer.model_dump(mode="json"))


async def _answer(serving: Serving, form: TogetherForm) -> JointLocalization:
    async def work() -> JointLocalization:
        prepared = [await _prepare(serving, form, number, view) for number, view in enumerate(form.views)]
        return await serving.answer_together(prepared, top_k=form.top_k)

    return await serving.line.run(work())


async def _prepare(serving: Serving, form: TogetherForm, number: int, view: GivenView) -> PreparedPhoto:
    """One photo on its canvas; only one encoded photo at a time is in memory.

    Raises:
        BadImage: it cannot be used; the message says which one it is.
    """
    upload = form.panorama[number]
    try:
        return replace(await serving.prepare(reader_of(upload), view), region=form.region)
    except BadImage as error:
        raise BadImage(f"photo {number + 1} of {len(form.panorama)} ({upload.filename}): {error}") from None


def _as_answer(joint: JointLocalization, form: TogetherForm, localizer: Localizer, root: str) -> TogetherAnswer:
    single = json_answer(joint.found, localizer, root=root)
    each = zip(form.panorama, joint.views, joint.headings_deg, strict=True)
    return TogetherAnswer(
        estimate=single.estimate,
        matches=[TileMatch.model_validate(match.model_dump(exclude={"heading_deg"})) for match in single.matches],
        photos=[
            JointPhoto(
                name=file.filename or "",
                heading_deg=view.heading_deg,
                heading_source=view.heading_source,
                fov_deg=round(view.fov_deg, ANGLE_DIGITS),
                fov_source=view.fov_source,
                found_heading_deg=found_deg,
            )
            for file, view, found_deg in each
        ],
        warnings=single.warnings,
        model=single.model,
        index=single.index,
        timings_ms=single.timings_ms,
    )
