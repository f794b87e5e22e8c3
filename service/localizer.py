"""From the bytes of a photo to ranked tiles and one position. Knows no HTTP.

decode -> lay on the north-centred canvas -> embed -> search -> fuse; where the heading is unknown, over all headings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexer.common.encoders import QueryEncoder
from indexer.confidence.calibration import Calibration, Conditions
from indexer.confidence.features import BEST
from indexer.index.tile_index import TileIndex
from indexer.localization.position import Position, locate
from indexer.tiles.region import Region
from indexer.tiles.tile_table import TileRecord
from model.common.images import MAX_PIXELS, declared_pixels, decode_image
from model.inputs.heading_search import COARSE_HEADINGS, Hit, Ranking, search_headings
from model.inputs.photo_checks import photo_warnings
from model.inputs.transforms import lay_panorama
from service.concurrency.pixel_budget import PixelBudget
from service.errors import NoTilesInRegion

__all__ = ["Localization", "Localizer", "Match", "View"]


@dataclass(frozen=True)
class View:
    """What is known about a photo besides its pixels.

    Attributes:
        heading_deg: direction of the centre column, clockwise from north; None where it is unknown.
        fov_deg: horizontal field of view, in (0, 360].
        region: area to search; None for the whole index.
    """

    heading_deg: float | None = 0.0
    fov_deg: float = 360.0
    region: Region | None = None


@dataclass(frozen=True)
class Match:
    """A tile of the index that matches the photo."""

    rank: int
    tile: TileRecord
    score: float
    heading_deg: float


@dataclass(frozen=True)
class Localization:
    """The answer to one photo: matches best first, the position they speak for, seconds by step, doubts about it."""

    matches: tuple[Match, ...]
    position: Position
    seconds: dict[str, float]
    warnings: tuple[str, ...] = ()


@dataclass
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("decode", "embed", "search"), 0.0))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - begin


def _never() -> None:
    """The check of a caller that waits as long as it takes."""


class Localizer:
    """An encoder and an index that fit together.

    Example:
        >>> localizer = Localizer(encoder, TileIndex.open(folder))  # doctest: +SKIP
        >>> localizer.localize(photo, View(), top_k=5).position.centre  # doctest: +SKIP
        LatLon(lat=47.1, lon=8.5)

    Raises:
        IndexMismatch: the index was built by another encoder.
    """

    def __init__(
        self,
        encoder: QueryEncoder,
        index: TileIndex,
        *,
        max_pixels: int = MAX_PIXELS,
        decode_pixels: int = 2 * MAX_PIXELS,
        headings: int = COARSE_HEADINGS,
    ) -> None:
        index.require_encoder(encoder)
        self.encoder = encoder
        self.index = index
        self._max_pixels = max_pixels
        self._budget = PixelBudget(decode_pixels)
        self._headings = headings

    def localize(self, photo: bytes, view: View, *, top_k: int = 5, check: Callable[[], None] = _never) -> Localization:
        """Find the tiles that match a photo.

        Args:
            photo: an encoded JPEG, PNG or WebP.
            view: its heading, field of view, and the area to search.
            top_k: number of matches to return.
            check: called between the steps; what it raises ends the work.

        Raises:
            BadImage: the photo cannot be decoded or is too large.
            NoTilesInRegion: the area holds no tile.
        """
        begin = time.perf_counter()
        watch = _Stopwatch()
        with watch.step("decode"):
            canvas, warnings = self._canvas(photo, view)
        check()

        def find(canvases: NDArray[np.uint8]) -> list[Ranking]:
            with watch.step("embed"):
                vectors = self.encoder.encode_ground(canvases)
            check()
            with watch.step("search"):
                return list(self.index.search(vectors, top_k=max(top_k, BEST), region=view.region))

        hits = search_headings(canvas, find, heading_deg=view.heading_deg, count=self._headings)
        matches = self._matches(hits[:top_k])
        watch.seconds["total"] = time.perf_counter() - begin
        position = locate(self.index.candidates(hits), None if warnings else self._calibration(view))
        return Localization(matches, position, watch.seconds, warnings)

    def _calibration(self, view: View) -> Calibration | None:
        """The index's, where it was fitted on questions like this one; it has never seen the search of an area."""
        calibration = self.index.calibration
        asked = Conditions.of(view.heading_deg, view.fov_deg, headings=self._headings)
        fitting = calibration is not None and view.region is None and calibration.conditions.include(asked)
        return calibration if fitting else None

    def _canvas(self, photo: bytes, view: View) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
        inputs = self.encoder.inputs
        with self._budget.hold(min(declared_pixels(photo), self._max_pixels)):
            image = decode_image(photo, at_least_px=inputs.ground_decode_px, max_pixels=self._max_pixels)
            canvas = lay_panorama(image, inputs, heading_deg=view.heading_deg or 0.0, fov_deg=view.fov_deg)
            return canvas, tuple(photo_warnings(image, view.fov_deg))

    def _matches(self, hits: list[Hit]) -> tuple[Match, ...]:
        if not hits:
            raise NoTilesInRegion(
                f"none of the {self.index.count:,} tiles of index {self.index.name} touches the given area; "
                "widen it, or leave it out"
            )
        return tuple(
            Match(rank, self.index.tile(hit.row), hit.score, hit.heading_deg) for rank, hit in enumerate(hits, 1)
        )
