"""Answers made by hand, without a search."""

from pathlib import Path

from indexer.localization.answer import Localization, Match
from indexer.localization.photo_answer import PhotoAnswer
from indexer.localization.position import Position
from indexer.tiles.tile_table import TileRecord
from model.common.geo import Bounds, LatLon
from model.inputs.photo_view import ResolvedView


def found(
    lat: float = 47.5,
    lon: float = 8.25,
    *,
    confidence: float | None = 0.75,
    view: ResolvedView | None = None,
    warnings: tuple[str, ...] = (),
) -> Localization:
    """One match, at which the estimate lies."""
    box = Bounds(lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001)
    tile = TileRecord("tile-7", 15, 1, 2, lat, lon, box, "7.png", date="2026-06-01")
    within_m = None if confidence is None else 75.0
    reason = None if confidence is not None else "see the warning" if warnings else "the index is not calibrated"
    position = Position(LatLon(lat, lon), 31.25, confidence, within_m, reason)
    return Localization(
        (Match(1, tile, 0.625, 123.75),), position, view or ResolvedView(90.0, 360.0, 180.0), {}, True, 12, warnings
    )


GOOD = PhotoAnswer(Path("some/café, 1.jpg"), found())
UNSURE = PhotoAnswer(
    Path("unsure.jpg"),
    found(
        -33.875,
        -70.5,
        confidence=None,
        view=ResolvedView(None, 67.0, 53.0, heading_source="unknown", fov_source="photo"),
        warnings=("the picture is dark", 'it is "odd"'),
    ),
)
FAILED = PhotoAnswer(Path("text.jpg"), None, "the photo is not a JPEG")
EVERY = (GOOD, UNSURE, FAILED)
