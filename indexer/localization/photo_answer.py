"""The answer to one photo in a batch, as one flat row and as one JSON object; a photo that failed has its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.localization.answer import Localization

__all__ = ["FIELDS", "PhotoAnswer"]

FIELDS = {
    "photo": str, "lat": float, "lon": float, "radius_m": float, "confidence": float, "confidence_radius_m": float,
    "heading_deg": float, "heading_source": str, "fov_deg": float, "fov_source": str,
    "tile_id": str, "score": float, "warnings": str, "error": str,
}  # fmt: skip
"""The columns of a flat row, and their types; every value but `photo` may be missing."""


@dataclass(frozen=True)
class PhotoAnswer:
    """What became of one photo.

    Attributes:
        photo: the file.
        found: the answer; None where there is none.
        error: why there is none.
    """

    photo: Path
    found: Localization | None
    error: str | None = None

    @property
    def name(self) -> str:
        """The file's path as text; bytes of it that are no UTF-8 are escaped."""
        return str(self.photo).encode(errors="backslashreplace").decode()

    def row(self) -> dict[str, Any]:
        """`FIELDS` of the estimate, the best tile and the view; None where something is not known."""
        row: dict[str, Any] = dict.fromkeys(FIELDS)
        row |= {"photo": self.name, "error": self.error}
        if self.found is None:
            return row
        best, view = self.found.matches[0], self.found.view
        heading_deg = best.heading_deg if view.heading_deg is None else view.heading_deg
        row |= self.found.position.as_json()
        row |= {"heading_deg": heading_deg, "heading_source": view.heading_source}
        row |= {"fov_deg": view.fov_deg, "fov_source": view.fov_source}
        row |= {"tile_id": best.tile.tile_id, "score": best.score}
        return row | {"warnings": "; ".join(self.found.warnings) or None}

    def as_json(self) -> dict[str, Any]:
        """The whole answer as one object."""
        about: dict[str, Any] = {"photo": self.name}
        return about | ({"error": self.error} if self.found is None else self.found.as_json())
