"""Addresses of the corpus's pictures: tiles by grid and by id, the overview, TileJSON."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from indexer.tiles.sources.source import TileImage
from service.dependencies import ServingOfApp, problem
from service.errors import TileNotFound
from service.schemas import TileJson, picture_zooms

__all__ = ["grid_router", "router"]

grid_router = APIRouter(tags=["corpus"])
"""What stands without a version, too."""
router = APIRouter(tags=["corpus"])

_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
_NOT_READY = problem("Model and index are not loaded.", "not-ready")
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in sorted(_PICTURES)}},
    304: {"description": "The client has it."},
    404: problem("No such tile, or its picture is not on disk any more.", "no-such-tile"),
    503: _NOT_READY,
}
_IfNoneMatch = Annotated[str | None, Header(description="An `ETag` of before.", examples=['"9f86d081884c7d65"'])]


@grid_router.get(
    "/tiles/{z}/{x}/{y}",
    operation_id="tile",
    summary="The picture of one tile by its place on the grid",
    response_class=Response,
    responses=_ANSWERS | {422: problem("z, x or y is no whole number.", "invalid-request")},
)
def tile(
    z: Annotated[int, Path(examples=[18])],
    x: Annotated[int, Path(examples=[41231])],
    y: Annotated[int, Path(examples=[171966])],
    serving: ServingOfApp,
    if_none_match: _IfNoneMatch = None,
) -> Response:
    """The corpus as a map layer, in the XYZ scheme of Web Mercator: y grows to the south."""
    return _picture(serving.localizer.index.tile_image(z, x, y), f"{z}/{x}/{y}", if_none_match)


@router.get(
    "/tile/{tile_id:path}",
    operation_id="tileById",
    summary="The picture of one tile by its id",
    response_class=Response,
    responses=_ANSWERS,
)
def tile_by_id(
    tile_id: Annotated[str, Path(examples=["18/41231/171966"])],
    serving: ServingOfApp,
    if_none_match: _IfNoneMatch = None,
) -> Response:
    """Any tile of the index, also one that was cut at a stride and lies on no grid."""
    return _picture(serving.corpus.picture(tile_id), tile_id, if_none_match)


@router.get(
    "/overview.png",
    operation_id="overview",
    summary="The whole corpus as one picture",
    response_class=Response,
    responses={
        200: {
            "content": {"image/png": {}},
            "headers": {
                "X-Bounds": {
                    "description": "west,south,east,north of the picture's edges, in degrees; rows are even in Web "
                    "Mercator.",
                    "schema": {"type": "string"},
                }
            },
        },
        304: {"description": "The client has it."},
        404: problem("The pictures are not on disk any more.", "no-such-tile"),
        503: _NOT_READY,
    },
)
async def overview(serving: ServingOfApp, if_none_match: _IfNoneMatch = None) -> Response:
    """At most 1024 pixels a side, transparent where no tile lies; of a large corpus, one tile in each part."""
    found = await run_in_threadpool(serving.corpus.overview)
    if found is None:
        raise TileNotFound("the pictures of this index's tiles are not on disk any more")
    answer = _picture(TileImage(found.png, "image/png"), "overview", if_none_match)
    answer.headers["X-Bounds"] = ",".join(f"{edge:.8f}" for edge in found.bounds.as_tuple())
    return answer


@router.get(
    "/tilejson",
    operation_id="tilejson",
    summary="The corpus as TileJSON 3.0",
    responses={
        404: problem("No tile lies on the XYZ grid, or the pictures are not on disk.", "no-such-tile"),
        503: _NOT_READY,
    },
)
def tilejson(request: Request, serving: ServingOfApp) -> TileJson:
    """What a map viewer needs to show the tiles that lie on the grid."""
    index = serving.localizer.index
    zooms = picture_zooms(index)
    if not zooms:
        raise TileNotFound("no tile of this index can be served by its place on the XYZ grid; ask by id")
    bounds = index.bounds
    root = str(request.base_url).rstrip("/")
    return TileJson(
        name=index.name,
        tiles=[f"{root}/v1/tiles/{{z}}/{{x}}/{{y}}"],
        minzoom=zooms[0],
        maxzoom=zooms[-1],
        bounds=bounds.as_tuple(),
    )


def _picture(found: TileImage | None, name: str, if_none_match: str | None) -> Response:
    if found is None or found.media_type not in _PICTURES:
        raise TileNotFound(f"the index has no picture of tile {name[:200]}")
    etag = f'"{hashlib.sha256(found.data).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "public, max-age=3600"}
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(found.data, media_type=found.media_type, headers=headers)
