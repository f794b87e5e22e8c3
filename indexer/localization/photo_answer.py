"""The answer to a photo, or to several of one place, as one flat row and as one JSON object; or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.localization.answer import ANGLE_DIGITS, Localization
from model.inputs.photo_view import ResolvedView

__all__ = ["FIELDS", "JointPhoto", "PhotoAnswer"]

FIELDS = {
    "photo": str, "lat": float, "lon": float, "radius_m": float, "confidence": float, "confidence_radius_m": float,
    "no_confidence_because": str, "heading_deg": float, "heading_source": str, "fov_deg": float, "fov_source": str,
    "tile_id": str, "date": str, "score": float, "warnings": str, "error": str,
}  # fmt: skip
"""The columns of a flat row, and their types; every value but `photo` may be missing."""


@dataclass(frozen=True)
class JointPhoto:
    """One of several photos that were answered together.

    Attributes:
        photo: the file.
        view: where it was taken to look and how wide.
        heading_deg: of its centre column at the best match, in [0, 360).
    """

    photo: Path
    view: ResolvedView
    heading_deg: float

    def as_json(self) -> dict[str, Any]:
        """As an answer lists it."""
        return {"photo": _text(self.photo), "heading_deg": round(self.heading_deg, ANGLE_DIGITS)} | _view_json(
            self.view
        )


@dataclass(frozen=True)
class PhotoAnswer:
    """What became of one photo, or of several together.

    Attributes:
        photo: the file; of several the first.
        found: the answer; None where there is none.
        error: why there is none.
        together: of several photos those that were answered; empty for one.
    """

    photo: Path
    found: Localization | None
    error: str | None = None
    together: tuple[JointPhoto, ...] = ()

    @property
    def name(self) -> str:
        """The paths as text; bytes of them that are no UTF-8 are escaped."""
        return "; ".join(_text(one.photo) for one in self.together) or _text(self.photo)

    def row(self) -> dict[str, Any]:
        """`FIELDS` of the estimate, the best tile and the view; None where something is not known."""
        row: dict[str, Any] = dict.fromkeys(FIELDS)
        row |= {"photo": self.name, "error": self.error}
        if self.found is None:
            return row
        best, view = self.found.matches[0], self.found.view
        row |= self.found.position.as_json()
        if not self.together:  # several photos have several views
            heading_deg = best.heading_deg if view.heading_deg is None else view.heading_deg
            row |= _view_json(view) | {"heading_deg": round(heading_deg, ANGLE_DIGITS)}
        row |= {"tile_id": best.tile.tile_id, "date": best.tile.date, "score": best.score}
        return row | {"warnings": "; ".join(self.found.warnings) or None}

    def as_json(self) -> dict[str, Any]:
        """The whole answer as one object; of several photos `photos` stands in the place of `photo` and `view`."""
        about: dict[str, Any] = {"photo": self.name}
        if self.found is None:
            return about | {"error": self.error}
        answer = self.found.as_json()
        if not self.together:
            return about | answer
        del answer["view"]
        for match in answer["matches"]:
            del match["heading_deg"]
        return {"photos": [one.as_json() for one in self.together]} | answer


def _text(path: Path) -> str:
    return str(path).encode(errors="backslashreplace").decode()


def _view_json(view: ResolvedView) -> dict[str, Any]:
    return {
        "heading_source": view.heading_source,
        "fov_deg": round(view.fov_deg, ANGLE_DIGITS),
        "fov_source": view.fov_source,
    }
