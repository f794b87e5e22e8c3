"""The answer to one photo as values: matches, position, and how the photo was taken to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.localization.position import Position
from indexer.tiles.region import Region
from indexer.tiles.tile_table import TileRecord
from model.common.geo import LatLon
from model.inputs.heading_search import Hit
from model.inputs.photo_view import ResolvedView

__all__ = ["ANGLE_DIGITS", "Localization", "Match", "PreparedPhoto", "RankedTiles", "by_region"]

ANGLE_DIGITS = 4
"""Of degrees, where they are told: more than a photo knows of itself, and enough for every heading that is tried."""


@dataclass(frozen=True)
class Match:
    """A tile of the index that matches the photo.

    Attributes:
        rank: 1 for the best.
        tile: id, centre, footprint and source.
        score: cosine similarity.
        heading_deg: direction of the photo's centre column at which it scores so, in [0, 360).
        point: where in the tile the camera stands, if it is this one; None stands for the tile's centre.
    """

    rank: int
    tile: TileRecord
    score: float
    heading_deg: float
    point: LatLon | None = None

    @property
    def place(self) -> LatLon:
        """Where the match puts the camera."""
        return LatLon(self.tile.lat, self.tile.lon) if self.point is None else self.point

    def as_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        tile = self.tile
        place = {"lat": tile.lat, "lon": tile.lon, "bounds": list(tile.bounds.as_tuple())}
        fit = {"score": self.score, "heading_deg": self.heading_deg}
        date = {} if tile.date is None else {"date": tile.date}
        return {"rank": self.rank, "tile_id": tile.tile_id, **fit, **place, "source": tile.source, **date}


@dataclass(frozen=True)
class RankedTiles:
    """What a search over headings found.

    Attributes:
        hits: rows of the index, best first, at least `BEST` where there are as many; perhaps none.
        exact: whether every row that could count was compared.
        scanned: number of tiles compared, with each heading.
        unread: number of the best tiles that were to be looked at again and cannot be read any more.
    """

    hits: list[Hit]
    exact: bool
    scanned: int
    unread: int = 0


@dataclass(frozen=True)
class PreparedPhoto:
    """A photo on the encoder's canvas, ready to be searched for.

    Attributes:
        canvas: uint8 [H, W, 3].
        view: where it looks and how wide, and where that is known from.
        region: area to search; None for the whole index.
        warnings: what speaks against the photo or what is said of it.
        seconds: that decoding and laying took.
    """

    canvas: NDArray[np.uint8]
    view: ResolvedView
    region: Region | None
    warnings: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Localization:
    """The answer to one photo.

    Attributes:
        matches: best first, at least one.
        position: what they speak for, and how surely.
        view: where the photo was taken to look and how wide, each with its source.
        seconds: spent on `decode`, `embed`, `search`, and in `total`; of photos embedded together, an equal share.
        exact: whether every tile that could count was compared.
        scanned: number of tiles compared, with each heading.
        warnings: what speaks against the photo or what is said of it; with one there is no confidence.
    """

    matches: tuple[Match, ...]
    position: Position
    view: ResolvedView
    seconds: dict[str, float]
    exact: bool
    scanned: int
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Estimate, matches, view and warnings as one object."""
        view = self.view
        return {
            "estimate": self.position.as_json(),
            "matches": [match.as_json() for match in self.matches],
            "view": {
                "heading_deg": view.heading_deg,
                "heading_source": view.heading_source,
                "fov_deg": round(view.fov_deg, ANGLE_DIGITS),
                "fov_source": view.fov_source,
            },
            "exact": self.exact,
            "scanned": self.scanned,
            "warnings": list(self.warnings),
        }


def by_region(photos: Sequence[PreparedPhoto], numbers: Sequence[int]) -> list[list[int]]:
    """Numbers of photos in groups of one area each."""
    groups: list[list[int]] = []
    for number in numbers:
        for group in groups:
            if photos[group[0]].region == photos[number].region:
                group.append(number)
                break
        else:
            groups.append([number])
    return groups
