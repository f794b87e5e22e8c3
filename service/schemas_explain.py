"""What travels over HTTP where a match is explained."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import UploadFile
from pydantic import BaseModel, BeforeValidator, Field

from indexer.localization.answer import PreparedPhoto
from model.inputs.transforms import canvas_middle_deg
from service.answering import Serving
from service.corpus import tile_url
from service.explaining import Explained
from service.schemas import Bbox, Form, IndexInfo, ModelInfo, PhotoView, describe, heading_field, view_of

__all__ = ["ExplainAnswer", "ExplainForm", "explain_answer"]

_LINES = 12
_DIGITS = 9


class ExplainForm(Form):
    """The fields of `POST /v1/explain`; unknown fields are refused."""

    panorama: UploadFile = Field(description="JPEG, PNG, WebP, TIFF, AVIF or HEIC.")
    tile_id: str = Field(min_length=1, max_length=1000, description="Of the index.", examples=["18/137262/91867"])
    heading_deg: Annotated[float | Literal["unknown"] | None, BeforeValidator(heading_field)] = Field(
        None,
        description="As for `localize`; where it is unknown, the one is taken at which this tile fits best.",
        examples=[0, "unknown"],
    )
    fov_deg: float | None = Field(
        None, gt=0, le=360, allow_inf_nan=False, description="As for `localize`.", examples=[360]
    )


class Heat(BaseModel):
    """A grid of contributions, row by row from the top left."""

    rows: int = Field(examples=[4])
    columns: int = Field(examples=[16])
    values: list[list[float]] = Field(description="[rows][columns]; they sum to the score.")


class ExplainedPhoto(BaseModel):
    """The photo as the network saw it."""

    image: str = Field(description="A PNG as `data:` address; columns run south, west, north, east, south.")
    width_px: int = Field(examples=[128])
    height_px: int = Field(examples=[32])
    vertical_deg: float | None = Field(
        description="Height of the belt that is compared; null where it is the photo's own.",
        examples=[40.0],
    )
    middle_deg: float = Field(description="Elevation of the belt's middle over the horizon.", examples=[-6.0])
    heat: Heat


class ExplainedTile(BaseModel):
    """The tile, north up."""

    tile_id: str = Field(examples=["18/137262/91867"])
    lat: float = Field(examples=[47.1003])
    lon: float = Field(examples=[8.5007])
    bounds: Bbox = Field(description="[west, south, east, north].", examples=[(8.4993, 47.0994, 8.5021, 47.1012)])
    image_url: str = Field(examples=["/tiles/18/137262/91867"])
    heat: Heat


class Line(BaseModel):
    """A pair of places that speaks for the match."""

    photo: tuple[float, float] = Field(description="(x, y) in shares of width and height from the top left.")
    tile: tuple[float, float] = Field(description="Likewise on the tile.")
    contribution: float = Field(description="To the score.", examples=[0.0123])


class ExplainAnswer(BaseModel):
    """Why the photo and the tile score as they do."""

    score: float = Field(description="Cosine similarity at full precision: the sum of all pairs.", examples=[0.521])
    heading_deg: float = Field(description="Of the photo's centre; given or found.", examples=[0.0])
    photo: ExplainedPhoto
    tile: ExplainedTile
    pairs: list[list[float]] = Field(
        description="[photo cell][tile cell], cells counted row by row: the contribution of the two together."
    )
    lines: list[Line] = Field(description="The strongest pairs, no cell twice, strongest first.")
    view: PhotoView
    warnings: list[str] = Field(examples=[[]])
    model: ModelInfo
    index: IndexInfo


def explain_answer(found: Explained, photo: PreparedPhoto, serving: Serving, *, root: str) -> ExplainAnswer:
    """The answer to one question why.

    Args:
        found: the contributions.
        photo: the photo that was asked about.
        serving: who answered.
        root: path under which a proxy mounts the service, without a closing slash.
    """
    explained, tile = found.explanation, serving.localizer.index.tile(found.row)
    inputs = serving.localizer.encoder.inputs
    model, index = describe(serving.localizer)
    height_px, width_px = found.canvas.shape[:2]
    return ExplainAnswer(
        score=explained.score,
        heading_deg=found.heading_deg,
        photo=ExplainedPhoto(
            image=found.canvas_url,
            width_px=width_px,
            height_px=height_px,
            vertical_deg=inputs.ground_vertical_deg,
            middle_deg=canvas_middle_deg(inputs, photo.view.lowest_deg),
            heat=_heat(explained.photo_grid, explained.photo_heat.round(_DIGITS).tolist()),
        ),
        tile=ExplainedTile(
            tile_id=tile.tile_id,
            lat=tile.lat,
            lon=tile.lon,
            bounds=tile.bounds.as_tuple(),
            image_url=tile_url(tile, root),
            heat=_heat(explained.tile_grid, explained.tile_heat.round(_DIGITS).tolist()),
        ),
        pairs=explained.pairs.round(_DIGITS).tolist(),
        lines=[
            Line(
                photo=_middle(photo_cell, explained.photo_grid),
                tile=_middle(tile_cell, explained.tile_grid),
                contribution=contribution,
            )
            for photo_cell, tile_cell, contribution in explained.strongest(_LINES)
        ],
        view=view_of(photo.view),
        warnings=list(photo.warnings),
        model=model,
        index=index,
    )


def _heat(grid: tuple[int, int], values: list[list[float]]) -> Heat:
    return Heat(rows=grid[0], columns=grid[1], values=values)


def _middle(cell: int, grid: tuple[int, int]) -> tuple[float, float]:
    row, column = divmod(cell, grid[1])
    return (column + 0.5) / grid[1], (row + 0.5) / grid[0]
