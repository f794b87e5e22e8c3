"""A fitted confidence as a value, and how it lies in an index folder: `calibration.json` and the diagram that it names.

It belongs to one encoder and one index. Neither file is part of the index's identity: calibrating changes no digest.
The diagram's name holds its digest, so a new calibration is one replaced file: killed at any point, the folder has the
old calibration or the new one, whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from indexer.errors import BadCalibration, IndexDamaged
from indexer.evidence import FEATURES, Reading
from indexer.manifest import FileEntry, Manifest
from model.artefact import canonical_json, sha256_bytes, staged_file, write_json

__all__ = ["CALIBRATION", "Calibration", "Conditions", "Logistic", "read_calibration", "write_calibration"]

CALIBRATION = "calibration.json"
_DIAGRAMS = "calibration*.png"
FORMAT = "clnet-geolocalization calibration"
FORMAT_VERSION = 1
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
        heading: whether the photos' headings were given ("known") or searched for ("unknown").
        fov_deg: least and largest horizontal field of view.
    """

    heading: Literal["known", "unknown"]
    fov_deg: tuple[float, float]

    @classmethod
    def of(cls, heading_deg: float | None, fov_deg: float) -> Conditions:
        """Those of one photo; a heading of None is unknown."""
        return cls("unknown" if heading_deg is None else "known", (fov_deg, fov_deg))

    def include(self, others: Conditions) -> bool:
        """Whether other questions are like these."""
        least, most = others.fov_deg
        wide_enough = least >= self.fov_deg[0] - _SLACK_DEG
        return others.heading == self.heading and wide_enough and most <= self.fov_deg[1] + _SLACK_DEG

    def __str__(self) -> str:
        return f"{self.heading} headings and fields of view of {self.fov_deg[0]:g} to {self.fov_deg[1]:g} degrees"


@dataclass(frozen=True)
class Calibration:
    """How to turn a shortlist into a position and a confidence.

    Attributes:
        encoder: digest of the encoder.
        index: digest of the index.
        reading: how a shortlist is read; its `here_m` is the radius that the confidence is about.
        confidence: from the features to the probability that the true place lies within that radius.
        radius_m: of the right answers, 68 % lie within it of the true place.
        conditions: the questions that it can speak about.
        photos: what it was fitted on: names, count and a digest over the pictures.
        held_out: `Reliability` on photos left out while fitting, as JSON.
        written_by: version of this software.
    """

    encoder: str
    index: str
    reading: Reading
    confidence: Logistic
    radius_m: float
    conditions: Conditions
    photos: dict[str, Any]
    held_out: dict[str, Any]
    written_by: str

    def as_json(self) -> dict[str, Any]:
        """One object; coefficients by the name of their feature."""
        named = dict(zip(FEATURES, self.confidence.coefficients, strict=True))
        confidence = {"intercept": self.confidence.intercept, "coefficients": named}
        conditions = {"heading": self.conditions.heading, "fov_deg": list(self.conditions.fov_deg)}
        return asdict(self) | {"confidence": confidence, "conditions": conditions}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calibration:
        """The reverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: something is missing or of another kind.
        """
        confidence, conditions = content["confidence"], content["conditions"]
        if set(confidence["coefficients"]) != set(FEATURES):
            raise ValueError(f"its features are {sorted(confidence['coefficients'])}, not {sorted(FEATURES)}")
        coefficients = tuple(float(confidence["coefficients"][name]) for name in FEATURES)
        least, most = conditions["fov_deg"]
        values = content | {
            "reading": Reading(**content["reading"]),
            "confidence": Logistic(float(confidence["intercept"]), coefficients),
            "conditions": Conditions(conditions["heading"], (least, most)),
        }
        return cls(**values)


def write_calibration(folder: Path, calibration: Calibration, diagram: bytes) -> None:
    """Put a calibration into an index folder; one that is there is replaced."""
    picture = folder / f"calibration-{sha256_bytes(diagram)[:12]}.png"
    with staged_file(picture) as staged:
        staged.write_bytes(diagram)
    content = {"format": FORMAT, "version": FORMAT_VERSION} | calibration.as_json()
    content["files"] = {picture.name: asdict(FileEntry.of(picture))}
    write_json(folder / CALIBRATION, content | {"digest": sha256_bytes(canonical_json(content))})
    for other in folder.glob(_DIAGRAMS):
        if other != picture:
            other.unlink()


def read_calibration(folder: Path, manifest: Manifest) -> Calibration | None:
    """The calibration of an index, or None where it has none.

    Raises:
        BadCalibration: it is damaged, of another format version, or made for another encoder or index.
    """
    path = folder / CALIBRATION
    if not path.exists():
        return None
    content = _checked(path)
    if (made_for := content.get("encoder")) != manifest.encoder["digest"]:
        raise _misfit(path, "encoder", made_for, manifest.encoder["digest"])
    if (made_for := content.get("index")) != manifest.digest:
        raise _misfit(path, "index", made_for, manifest.digest)
    try:
        ((diagram, entry),) = content.pop("files").items()
        _check_diagram(path, FileEntry(**entry), folder / diagram)
        return Calibration.from_json(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"is not whole: {error}") from error


def _check_diagram(path: Path, entry: FileEntry, diagram: Path) -> None:
    try:
        entry.check(diagram)
    except IndexDamaged as error:
        state = "is not the one that was drawn with it" if diagram.is_file() else "is missing"
        raise _damaged(path, f"names the diagram {diagram.name}, which {state}") from error


def _checked(path: Path) -> dict[str, Any]:
    """The content, its digest and its format checked and taken off."""
    try:
        content = json.loads(path.read_bytes())
        stated = content.pop("digest", None)
        form, version = content.pop("format", None), content.pop("version", None)
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise _damaged(path, f"cannot be read: {error}") from error
    if (form, version) != (FORMAT, FORMAT_VERSION):
        raise _damaged(path, f"is {form!r} of version {version!r}; this software reads version {FORMAT_VERSION}")
    if stated != sha256_bytes(canonical_json({"format": form, "version": version} | content)):
        raise _damaged(path, f"does not match its own digest {stated}")
    return dict(content)


def _damaged(path: Path, what: str) -> BadCalibration:
    return BadCalibration(f"{path} {what}. Make it again with `python -m indexer calibrate`, or remove it")


def _misfit(path: Path, kind: str, made_for: Any, found: str) -> BadCalibration:
    return _damaged(path, f"was made for another {kind} ({str(made_for)[:12]}; here it is {found[:12]})")
