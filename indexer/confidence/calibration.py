"""A fitted confidence as a value: how to turn the best tiles of a photo into a position and a probability."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadPhotos
from indexer.confidence.features import FEATURES, FeatureReader
from indexer.confidence.photo_fingerprints import PhotoSet
from indexer.confidence.reliability import Reliability

__all__ = ["Calibration", "Calibrations", "Conditions", "Logistic"]

_SLACK_DEG = 0.5
"""How far a field of view may lie outside those that were calibrated; less than a column of most canvases."""


@dataclass(frozen=True)
class Logistic:
    """Probability as a logistic function of the features, one coefficient each in the order of `FEATURES`."""

    intercept: float
    coefficients: tuple[float, ...]

    def of(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """[..., 5] features -> [...] probabilities."""
        odds = np.clip(features @ np.array(self.coefficients) + self.intercept, -50.0, 50.0)
        probability: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-odds))
        return probability


@dataclass(frozen=True)
class Conditions:
    """The questions that a calibration was fitted on, and so can speak about.

    Attributes:
        fov_deg: least and largest horizontal field of view.
        headings: how many were tried at first where the photos' own were unknown; None where they were known.
        reranked: how many of the best tiles were looked at again.
    """

    fov_deg: tuple[float, float]
    headings: int | None = None
    reranked: int = 0

    @classmethod
    def of(cls, heading_deg: float | None, fov_deg: float, *, headings: int, reranked: int = 0) -> Conditions:
        """Those of one photo; a heading of None is unknown, and `headings` are tried."""
        return cls((fov_deg, fov_deg), headings if heading_deg is None else None, reranked)

    def include(self, others: Conditions) -> bool:
        """Whether other questions are like these."""
        least, most = others.fov_deg
        wide_enough = least >= self.fov_deg[0] - _SLACK_DEG
        as_searched = (others.headings, others.reranked) == (self.headings, self.reranked)
        return as_searched and wide_enough and most <= self.fov_deg[1] + _SLACK_DEG

    def __str__(self) -> str:
        headings = "known headings" if self.headings is None else f"unknown headings ({self.headings} tried)"
        again = f", the best {self.reranked} tiles looked at again" if self.reranked else ""
        least, most = (f"{angle:.4g}" for angle in self.fov_deg)
        angles = f"a field of view of {least}" if least == most else f"fields of view of {least} to {most}"
        return f"{headings} and {angles} degrees{again}"

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Conditions:
        """From the object that `asdict` makes.

        Raises:
            KeyError, TypeError, ValueError: something is missing or of another kind.
        """
        least, most = map(_positive, content["fov_deg"])
        if least > most:
            raise ValueError(f"its fields of view are {least:g} to {most:g} degrees")
        headings = content["headings"]
        if headings is not None and (type(headings) is not int or headings < 1):
            raise ValueError(f"{headings!r} headings were tried")
        reranked = content.get("reranked", 0)
        if type(reranked) is not int or reranked < 0:
            raise ValueError(f"{reranked!r} tiles were looked at again")
        return cls((least, most), headings, reranked)


@dataclass(frozen=True)
class Calibration:
    """How to turn the top K into a position and a confidence.

    Attributes:
        encoder: digest of the encoder.
        index: digest of the index.
        reading: how the top K are read; its `here_m` is the radius that the confidence is about.
        confidence: from the features to the probability that the true place lies within that radius.
        radius_m: of the right answers, 68 % lie within it of the true place.
        conditions: the questions that it can speak about.
        photos: what it was fitted on.
        held_out: what it is worth on photos left out while fitting.
        fused_temperature: the reading's, were the estimate fused; what a fused position is measured with.
        written_by: version of this software.
    """

    encoder: str
    index: str
    reading: FeatureReader
    confidence: Logistic
    radius_m: float
    conditions: Conditions
    photos: PhotoSet
    held_out: Reliability
    fused_temperature: float
    written_by: str

    def confidence_in(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """[..., 5] features -> [...] probabilities that the true place lies within the reading's radius.

        Never nearer to 0 or 1 than so many photos can show: 1 of N + 2, by Laplace's rule of succession.
        """
        least = 1.0 / (self.photos.count + 2)
        bounded: NDArray[np.float64] = np.clip(self.confidence.of(features), least, 1.0 - least)
        return bounded

    def as_json(self) -> dict[str, Any]:
        """One object; coefficients by the name of their feature."""
        named = dict(zip(FEATURES, self.confidence.coefficients, strict=True))
        return asdict(self) | {
            "confidence": {"intercept": self.confidence.intercept, "coefficients": named},
            "conditions": asdict(self.conditions) | {"fov_deg": list(self.conditions.fov_deg)},
            "photos": self.photos.as_json(),
            "held_out": self.held_out.as_json(),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calibration:
        """The reverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: something is missing, of another kind, or no possible value.
        """
        confidence, reading = content["confidence"], content["reading"]
        if set(confidence["coefficients"]) != set(FEATURES):
            raise ValueError(f"its features are {sorted(confidence['coefficients'])}, not {sorted(FEATURES)}")
        coefficients = tuple(_finite(confidence["coefficients"][name]) for name in FEATURES)
        if not isinstance(reading["fused"], bool):
            raise ValueError(f"fused is {reading['fused']!r}, neither true nor false")
        positive = {name: _positive(reading[name]) for name in ("here_m", "reach_m", "temperature")}
        values = content | {
            "reading": FeatureReader(**reading | positive),
            "confidence": Logistic(_finite(confidence["intercept"]), coefficients),
            "radius_m": _positive(content["radius_m"]),
            "conditions": Conditions.from_json(content["conditions"]),
            "photos": PhotoSet.from_json(content["photos"]),
            "held_out": Reliability.from_json(content["held_out"]),
            "fused_temperature": _positive(content["fused_temperature"]),
        }
        return cls(**values)


@dataclass(frozen=True)
class Calibrations:
    """Those of one index, each for questions of its own.

    Attributes:
        each: known headings first, then by second looks and fields of view; perhaps none.

    Example:
        >>> Calibrations().for_question(Conditions((360.0, 360.0))) is None
        True
    """

    each: tuple[Calibration, ...] = ()

    def for_question(self, asked: Conditions) -> Calibration | None:
        """The one that speaks about a question, of several that with the fewest others."""
        fitting = [one for one in self.each if one.conditions.include(asked)]
        return min(fitting, key=lambda one: one.conditions.fov_deg[1] - one.conditions.fov_deg[0], default=None)

    def why_none(self, asked: Conditions) -> str:
        """Why no calibration speaks about a question that none of them includes."""
        if not self.each:
            return "the index is not calibrated; see `python -m indexer calibrate --help`"
        return f"the index is calibrated for {self._spoken}; this was asked with {asked}"

    def require(self, asked: Conditions) -> Calibration:
        """The one that speaks about photos asked so.

        Raises:
            BadPhotos: none does.
        """
        if (found := self.for_question(asked)) is None:
            raise BadPhotos(
                f"the photos would be asked with {asked}, the calibration speaks about {self._spoken}; "
                "set --heading-deg, --headings, --fov-deg and --rerank as when it was fitted"
            )
        return found

    @property
    def _spoken(self) -> str:
        return "; and for ".join(str(one.conditions) for one in self.each) or "nothing"

    def with_one(self, fitted: Calibration) -> Calibrations:
        """With another in place of those that speak about the same questions."""
        new = fitted.conditions
        others = [one for one in self.each if not (new.include(one.conditions) or one.conditions.include(new))]
        return Calibrations(tuple(sorted([*others, fitted], key=_by_conditions)))


def _by_conditions(one: Calibration) -> tuple[int, int, tuple[float, float]]:
    return one.conditions.headings or 0, one.conditions.reranked, one.conditions.fov_deg


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def _positive(value: Any) -> float:
    if not (number := _finite(value)) > 0:
        raise ValueError(f"{value!r} is not above zero")
    return number
