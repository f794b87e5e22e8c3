"""What travels over HTTP where several photos come at once: each on its own, or as one track."""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Any, Literal, Self

from fastapi import UploadFile
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from model.common.numbers import parse_number
from service.schemas import AreaForm, IndexInfo, LocalizeAnswer, ModelInfo, SearchForm, heading_field

__all__ = ["MAX_PHOTOS", "BatchForm", "BatchLine", "TrackAnswer", "TrackForm", "TrackPhoto", "times_of"]


def _times(text: str) -> str:
    times_of(text)
    return text


def times_of(text: str) -> list[float]:
    """Seconds, separated by commas, none before the one before it.

    Raises:
        ValueError: they are not.
    """
    times = [parse_number(part) for part in text.split(",")]
    if any(map(math.isnan, times)):
        raise ValueError(f"{text[:80]!r} is no list of seconds such as 0,2.5,5")
    if not all(map(math.isfinite, times)) or any(b < a for a, b in itertools.pairwise(times)):
        raise ValueError("times must be finite, and none may lie before the one before it")
    return times


MAX_PHOTOS = 256
"""Of one request."""
_SPEED_M_S = 15.0
_STEP_M = 100.0
_SOFT = (
    "The limit is soft: a way that goes beyond it counts as less likely, by the square of how many tiles it is; beyond "
    "three and a half tiles the price grows no more. `beyond_m` of each photo says by how much the limit is exceeded."
)


class _Photos(AreaForm):
    panorama: list[UploadFile] = Field(
        min_length=1, max_length=MAX_PHOTOS, description="The photos: this field once for each, with a file name."
    )
    heading_deg: Annotated[float | Literal["unknown"] | None, BeforeValidator(heading_field)] = Field(
        None, description="As for `localize`, of every photo.", examples=[0, "unknown"]
    )
    fov_deg: float | None = Field(
        None, gt=0, le=360, allow_inf_nan=False, description="As for `localize`, of every photo.", examples=[360]
    )


class BatchForm(_Photos, SearchForm):
    """The fields of `POST /v1/localize/batch`; unknown fields are refused."""


class BatchLine(BaseModel):
    """One line of the answer: a photo's answer, or why it has none."""

    number: int = Field(description="Place of the photo in the request, from 0.", examples=[0])
    name: str = Field(description="Its file name.", examples=["photo.jpg"])
    answer: LocalizeAnswer | None = Field(None, description="As `localize` answers; null where it has none.")
    problem: dict[str, Any] | None = Field(None, description="RFC 9457 problem details; null where there is none.")


class TrackForm(_Photos):
    """The fields of `POST /v1/localize/track`; unknown fields are refused."""

    times_s: Annotated[str, AfterValidator(_times)] | None = Field(
        None, description="When each was taken, in seconds, separated by commas.", examples=["0,5,10"]
    )
    max_speed_m_s: float | None = Field(
        None,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description=f"The highest speed; goes with `times_s`. Left out: {_SPEED_M_S:g}. {_SOFT}",
        examples=[_SPEED_M_S],
    )
    max_step_m: float | None = Field(
        None,
        gt=0,
        le=1_000_000,
        allow_inf_nan=False,
        description="The longest way from one photo to the next; only without `times_s`. Left out: "
        f"{_STEP_M:g}. {_SOFT}",
        examples=[_STEP_M],
    )

    @model_validator(mode="after")
    def _a_time_each(self) -> Self:
        if self.times_s is None:
            if self.max_speed_m_s is not None:
                raise ValueError("max_speed_m_s is given without times_s; say when each photo was taken, or max_step_m")
            return self
        if self.max_step_m is not None:
            raise ValueError("max_step_m and times_s are both given; with times, max_speed_m_s says what is possible")
        if (times := len(times_of(self.times_s))) != len(self.panorama):
            raise ValueError(f"times_s holds {times}, where photos are {len(self.panorama)}; give a time for each")
        return self

    def reach_m(self) -> list[float]:
        """How far one can get between each photo and the next."""
        if self.times_s is None:
            return [self.max_step_m or _STEP_M] * (len(self.panorama) - 1)
        times, speed_m_s = times_of(self.times_s), self.max_speed_m_s or _SPEED_M_S
        return [speed_m_s * (later - earlier) for earlier, later in itertools.pairwise(times)]


class TrackPhoto(BaseModel):
    """Where the way puts one photo."""

    number: int = Field(examples=[0])
    name: str = Field(examples=["photo.jpg"])
    lat: float = Field(examples=[47.1003])
    lon: float = Field(examples=[8.5007])
    tile_id: str | None = Field(description="The match on the way; null where the photo was left out.")
    score: float | None = Field(description="Of that match.")
    rank: int | None = Field(description="Of that match among the photo's own.")
    beyond_m: float | None = Field(
        description="Metres by which the way from the photo before it on the way is longer than the limit allows; 0 "
        "where it is not, and at the first; null where the photo was left out.",
        examples=[0.0],
    )
    problem: dict[str, Any] | None = Field(None, description="Why the photo could not be used; null where it could.")


class TrackAnswer(BaseModel):
    """The most plausible way through the matches of all photos."""

    photos: list[TrackPhoto] = Field(description="In the order of the request. Photos left out lie between neighbours.")
    model: ModelInfo
    index: IndexInfo
