"""The address that says why a tile matches a photo."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request

from model.inputs.photo_view import GivenView
from service.concurrency.disconnects import unless_gone
from service.dependencies import UPLOAD_PROBLEMS, ServingOfApp, no_empty_or_repeated_fields, problem, reader_of
from service.errors import TileNotFound
from service.forms import FormRoute
from service.schemas_explain import ExplainAnswer, ExplainForm, explain_answer

__all__ = ["router"]

router = APIRouter(route_class=FormRoute)


@router.post(
    "/explain",
    operation_id="explain",
    tags=["localize"],
    summary="Why does this tile match this photo?",
    dependencies=[Depends(no_empty_or_repeated_fields)],
    responses={
        404: problem("The index has no such tile, or its picture is not on disk any more.", "no-such-tile"),
        422: problem("The photo or a field cannot be used; `detail` says why.", "invalid-request", "bad-image"),
        **UPLOAD_PROBLEMS,
    },
)
async def explain(
    request: Request,
    form: Annotated[ExplainForm, Form(media_type="multipart/form-data")],
    serving: ServingOfApp,
) -> ExplainAnswer:
    """The exact contribution of each pair of parts of photo and tile to their score."""
    if not serving.localizer.index.has_pictures:
        raise TileNotFound("a match is explained with the tile's picture, and those of this index are not on this disk")
    row = serving.corpus.row_of(form.tile_id)
    if row is None:
        raise TileNotFound(f"the index has no tile {form.tile_id[:200]}")
    given = GivenView(heading_deg=form.heading_deg, fov_deg=form.fov_deg)

    async def work() -> ExplainAnswer:
        photo = await serving.prepare(reader_of(form.panorama), given)
        found = await serving.explain(photo, row)
        return explain_answer(found, photo, serving, root=request.scope.get("root_path", ""))

    return await unless_gone(request, serving.line.run(work()))
