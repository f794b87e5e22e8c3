"""What travels over HTTP: the form of a request and the shapes of the answers, with examples for OpenAPI.

Coordinates are (lat, lon) in WGS 84 degrees; `bounds` and `bbox` are [west, south, east, north].
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import UploadFile
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)

from indexer.index.searchable import SearchableIndex
from indexer.localization.answer import ANGLE_DIGITS, Localization
from indexer.localization.answer import Match as FoundMatch
from indexer.localization.localizer import Localizer
from indexer.tiles.region import BoxRegion, CircleRegion, RecentImagery, Region
from model.common.geo import parse_bounds, parse_lat_lon
from model.common.numbers import parse_number
from model.inputs.photo_view import ResolvedView
from service.corpus import tile_url

__all__ = [
    "AreaForm",
    "Bbox",
    "Estimate",
    "Form",
    "IndexInfo",
    "Info",
    "LocalizeAnswer",
    "LocalizeForm",
    "Match",
    "ModelInfo",
    "OverviewInfo",
    "PhotoView",
    "Problem",
    "Status",
    "TileJson",
    "TileMatch",
    "Timings",
    "describe",
    "heading_field",
    "json_answer",
    "picture_zooms",
    "view_of",
]

_HALF_EARTH_M = 20_040_000.0
"""No two places are farther apart than this."""

Bbox = Annotated[
    tuple[float, float, float, float],
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}),
]
"""[west, south, east, north]; told to OpenAPI in words that tools of version 3.0 understand, too."""


def _bbox(text: str) -> str:
    parse_bounds(text)
    return text


def _near(text: str) -> str:
    parse_lat_lon(text)
    return text


def heading_field(value: Any) -> Any:
    """Degrees in [0, 360), or the word `unknown`."""
    if value == "unknown" or value is None:
        return value
    heading = parse_number(str(value))
    if not -360.0 <= heading <= 360.0:  # also false for NaN
        raise ValueError(f"{value!r} is neither 'unknown' nor degrees clockwise from north in [-360, 360]")
    return heading % 360.0


class Form(BaseModel):
    """The fields of a request; unknown ones are refused, and numbers that only Python reads."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _as_people_write(cls, value: Any, info: ValidationInfo) -> Any:
        texts = value if isinstance(value, list) else [value]
        if info.field_name != "tile_id" and (odd := [one for one in texts if isinstance(one, str) and "_" in one]):
            raise ValueError(f"{odd[0][:80]!r} holds an underscore, which belongs into no value of this field")
        return value


class AreaForm(Form):
    """The fields that say where to search."""

    bbox: Annotated[str, AfterValidator(_bbox)] | None = Field(
        None,
        description="Search only tiles that touch this box: `west,south,east,north`. Not together with `near`.",
        examples=["8.4,47.0,8.6,47.2"],
    )
    near: Annotated[str, AfterValidator(_near)] | None = Field(
        None,
        description="Search only tiles within `radius_m` of `lat,lon`. Needs `radius_m`.",
        examples=["47.1,8.5"],
    )
    radius_m: float | None = Field(
        None, gt=0, le=_HALF_EARTH_M, allow_inf_nan=False, description="Metres around `near`.", examples=[1000]
    )

    since: datetime.date | None = Field(
        None,
        description="Search only imagery that was taken on this day or later, as YYYY-MM-DD; imagery without a date is "
        "left out.",
        examples=["2026-06-01"],
    )

    @model_validator(mode="after")
    def _one_prior(self) -> Self:
        if self.bbox is not None and self.near is not None:
            raise ValueError("bbox and near are both given; give one area, or none")
        if self.near is not None and self.radius_m is None:
            raise ValueError("near is given without radius_m; say within how many metres to search")
        if self.radius_m is not None and self.near is None:
            raise ValueError("radius_m is given without near; say around which lat,lon to search")
        return self

    @property
    def region(self) -> Region | None:
        """What to search: an area, recent imagery, or both; None for the whole index."""
        return self._area if self.since is None else RecentImagery(self.since, self._area)

    @property
    def _area(self) -> Region | None:
        if self.bbox is not None:
            return BoxRegion(parse_bounds(self.bbox))
        if self.near is not None and self.radius_m is not None:
            return CircleRegion(parse_lat_lon(self.near), self.radius_m)
        return None


class SearchForm(AreaForm):
    """The fields that say where to search, and how many matches are wanted."""

    top_k: int = Field(5, ge=1, le=100, description="How many tiles to answer with.")


class LocalizeForm(SearchForm):
    """The fields of `POST /localize`."""

    panorama: UploadFile = Field(description="JPEG, PNG, WebP, TIFF, AVIF or HEIC; best of all a 360 degree panorama.")
    heading_deg: Annotated[float | Literal["unknown"] | None, BeforeValidator(heading_field)] = Field(
        None,
        description="Where the photo's centre column looks, in degrees clockwise from north, from -360 to 360. "
        "`unknown` tries all. Left out: what the photo says of itself; where it says nothing, all are tried.",
        examples=[0, 87.5, "unknown"],
    )
    fov_deg: float | None = Field(
        None,
        gt=0,
        le=360,
        allow_inf_nan=False,
        description="Horizontal field of view of the photo, in degrees. Left out: what the photo says of itself; where "
        "it says nothing, 360 for a 2:1 picture, else a guess with a warning.",
        examples=[360, 70],
    )


class TileMatch(BaseModel):
    """One tile of the corpus that matches."""

    rank: int = Field(description="1 is the best.", examples=[1])
    tile_id: str = Field(examples=["18/137262/91867"])
    lat: float = Field(description="Centre of the tile.", examples=[47.1003])
    lon: float = Field(examples=[8.5007])
    bounds: Bbox = Field(
        description="[west, south, east, north]; west > east means that the tile crosses the antimeridian.",
        examples=[(8.4993, 47.0994, 8.5021, 47.1012)],
    )
    score: float = Field(description="Cosine similarity of photo and tile, in [-1, 1]; not a probability.")
    image_url: str | None = Field(description="The tile's picture on this service, or null where it is not on disk.")
    date: str | None = Field(None, description="When the tile's picture was taken; left out where that is not known.")

    @model_serializer(mode="wrap")
    def _without_unknown_date(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = plain(self)
        if content.get("date") is None:
            content.pop("date", None)
        return content


class Match(TileMatch):
    """One tile of the corpus that looks like the photo."""

    heading_deg: float = Field(description="Where the photo's centre looks, if this is the tile; given or found.")


class Estimate(BaseModel):
    """One position from all matches."""

    confidence: float | None = Field(
        description="Probability that the true place lies within `confidence_radius_m`, as fitted on photos of known "
        "place; null where the index has no calibration, or none for questions like this one, and where `warnings` "
        "speak against the photo.",
        examples=[0.87],
    )
    confidence_radius_m: float | None = Field(
        description="What `confidence` is about; null without one.", examples=[100.0]
    )
    no_confidence_because: str | None = Field(
        description="Why `confidence` is null, in words for people: the place is a guess. Null beside a confidence.",
        examples=[None],
    )
    lat: float = Field(examples=[47.1003])
    lon: float = Field(examples=[8.5007])
    radius_m: float = Field(
        description="Extent of what is left open. With a confidence: of the right answers, 68 % lie within it. "
        "Without: half the tile's diagonal, and the spread of its rivals.",
        examples=[74.0],
    )


class PhotoView(BaseModel):
    """How the photo was taken to look, and where that is known from."""

    heading_deg: float | None = Field(
        description="Where its centre column looks; null where that is unknown: then each match has the one found.",
        examples=[137.0],
    )
    heading_source: Literal["given", "photo", "assumed", "unknown"] = Field(examples=["photo"])
    fov_deg: float = Field(description="Horizontal field of view, in degrees.", examples=[360.0])
    fov_source: Literal["given", "photo", "assumed", "unknown"] = Field(examples=["assumed"])


class ModelInfo(BaseModel):
    """The encoder that answered."""

    name: str = Field(examples=["demo"])
    digest: str = Field(description="SHA-256 over the bundle's spec and weights.")


class IndexInfo(BaseModel):
    """The index that was searched."""

    name: str = Field(examples=["demo-index"])
    tiles: int = Field(description="Number of tiles in the index.", examples=[1024])
    digest: str = Field(description="SHA-256 over the index's manifest.")


class Timings(BaseModel):
    """Milliseconds spent on this answer, without the time that the request waited."""

    decode: float
    embed: float
    search: float
    total: float


class LocalizeAnswer(BaseModel):
    """Where the photo may have been taken."""

    estimate: Estimate
    matches: list[Match]
    view: PhotoView
    warnings: list[str] = Field(
        description="What speaks against the photo: a shape that cannot have that field of view, or nothing to be "
        "seen on it. The answer stands, but may well be wrong, and carries no confidence. Empty where nothing does.",
        examples=[[]],
    )
    model: ModelInfo
    index: IndexInfo
    timings_ms: Timings


class OverviewInfo(BaseModel):
    """Where the corpus can be seen as one picture."""

    url: str = Field(examples=["/v1/overview.png"])
    bounds: Bbox = Field(description="[west, south, east, north] of its edges; rows are even in Web Mercator.")


class TileJson(BaseModel):
    """TileJSON 3.0."""

    tilejson: Literal["3.0.0"] = "3.0.0"
    name: str = Field(examples=["demo-index"])
    scheme: Literal["xyz"] = "xyz"
    tiles: list[str] = Field(examples=[["http://localhost:8000/v1/tiles/{z}/{x}/{y}"]])
    minzoom: int = Field(examples=[18])
    maxzoom: int = Field(examples=[18])
    bounds: Bbox = Field(description="[west, south, east, north].")


class Info(BaseModel):
    """What this service runs."""

    version: str
    model: ModelInfo
    index: IndexInfo
    bounds: Bbox = Field(description="[west, south, east, north] of all tiles.")
    zooms: list[int] = Field(description="Zoom levels of the tiles that `/tiles` can serve; empty where it cannot.")
    limits: dict[str, float] = Field(description="What a request may ask for.")
    overview: OverviewInfo | None = Field(None, description="The corpus as one picture; null where it has none.")


class Status(BaseModel):
    """One word on the state of the process."""

    status: str = Field(examples=["ok"])


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:clnet:problem:bad-image"])
    title: str = Field(examples=["The photo cannot be used"])
    status: int = Field(examples=[422])
    detail: str | None = Field(None, examples=["the image is empty (0 bytes); send a JPEG, for example"])


def json_answer(found: Localization, localizer: Localizer, *, root: str = "") -> LocalizeAnswer:
    """The answer to one photo.

    Args:
        found: what the localizer found.
        localizer: who found it.
        root: path under which a proxy mounts the service, without a closing slash.
    """
    model, index = describe(localizer)
    return LocalizeAnswer(
        matches=[_match(match, localizer.index, root) for match in found.matches],
        estimate=Estimate.model_validate(found.position.as_json()),
        view=view_of(found.view),
        warnings=list(found.warnings),
        model=model,
        index=index,
        timings_ms=Timings(**{step: round(1000 * value, 2) for step, value in found.seconds.items()}),
    )


def describe(localizer: Localizer) -> tuple[ModelInfo, IndexInfo]:
    """Which encoder and which index answer."""
    encoder, index = localizer.encoder, localizer.index
    return (
        ModelInfo(name=encoder.name, digest=encoder.digest),
        IndexInfo(name=index.name, tiles=index.count, digest=index.digest),
    )


def view_of(view: ResolvedView) -> PhotoView:
    """How a photo was taken to look."""
    return PhotoView(
        heading_deg=view.heading_deg,
        heading_source=view.heading_source,
        fov_deg=round(view.fov_deg, ANGLE_DIGITS),
        fov_source=view.fov_source,
    )


def picture_zooms(index: SearchableIndex) -> list[int]:
    """Zoom levels of the tiles whose pictures the service can give, ascending."""
    return index.zooms if index.has_pictures else []


def _match(match: FoundMatch, index: SearchableIndex, root: str) -> Match:
    tile = match.tile
    return Match(
        rank=match.rank,
        tile_id=tile.tile_id,
        lat=tile.lat,
        lon=tile.lon,
        bounds=tile.bounds.as_tuple(),
        score=match.score,
        heading_deg=match.heading_deg,
        image_url=tile_url(tile, root) if index.has_pictures else None,
        date=tile.date,
    )
