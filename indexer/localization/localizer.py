"""From a photo to ranked tiles and one position. The command line, calibration and HTTP all call this.

decode -> lay on the north-centred canvas -> embed -> search -> fuse; where the heading is unknown, over all headings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.encoders import QueryEncoder
from indexer.common.errors import NoTilesInRegion
from indexer.confidence.calibration import Calibration, Conditions
from indexer.confidence.features import BEST, TopK
from indexer.confidence.storage import load_calibration
from indexer.index.tile_index import TileIndex
from indexer.index.zones import SearchResult
from indexer.localization.position import Position, locate
from indexer.tiles.region import Region
from indexer.tiles.tile_table import TileRecord
from model.common.images import MAX_PIXELS, declared_pixels, decode_image
from model.inputs.heading_search import COARSE_HEADINGS, Hit, search_headings
from model.inputs.photo_checks import photo_warnings
from model.inputs.transforms import lay_panorama

__all__ = ["Localization", "Localizer", "Match", "RankedTiles", "View"]


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
    """A tile of the index that matches the photo.

    Attributes:
        rank: 1 for the best.
        tile: id, centre, footprint and source.
        score: cosine similarity.
        heading_deg: direction of the photo's centre column at which it scores so, in [0, 360).
    """

    rank: int
    tile: TileRecord
    score: float
    heading_deg: float


@dataclass(frozen=True)
class RankedTiles:
    """What a search over headings found.

    Attributes:
        hits: rows of the index, best first, at least `BEST` where there are as many; perhaps none.
        exact: whether every row that could count was compared.
        scanned: number of tiles compared, with each heading.
    """

    hits: list[Hit]
    exact: bool
    scanned: int


@dataclass(frozen=True)
class Localization:
    """The answer to one photo.

    Attributes:
        matches: best first, at least one.
        position: what they speak for, and how surely.
        seconds: spent on `decode`, `embed`, `search`, and in `total`.
        exact: whether every tile that could count was compared.
        scanned: number of tiles compared, with each heading.
        warnings: what speaks against the photo or its stated field of view; with one there is no confidence.
    """

    matches: tuple[Match, ...]
    position: Position
    seconds: dict[str, float]
    exact: bool
    scanned: int
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


def _at_once(_: int) -> AbstractContextManager[None]:
    """The budget of a caller that decodes one photo at a time."""
    return nullcontext()


class Localizer:
    """An encoder and an index that fit together, and the index's calibration where it has one.

    Example:
        >>> localizer = Localizer.open("my-index")  # doctest: +SKIP
        >>> localizer.localize(Path("photo.jpg"), View(heading_deg=None), top_k=5).position.centre  # doctest: +SKIP
        LatLon(lat=47.1, lon=8.5)

    Attributes:
        encoder: embeds photos.
        index: what is searched.
        calibration: how sure answers are; None where that was not fitted.
        headings: how many headings are tried first where a photo's is unknown.
    """

    def __init__(
        self,
        encoder: QueryEncoder,
        index: TileIndex,
        *,
        headings: int = COARSE_HEADINGS,
        max_pixels: int = MAX_PIXELS,
        hold_pixels: Callable[[int], AbstractContextManager[None]] = _at_once,
    ) -> None:
        """Read the index's calibration; one that does not belong to it is left out with a warning.

        Args:
            encoder: the one that built the index.
            index: an opened index.
            headings: how many headings to try first where a photo's is unknown.
            max_pixels: width times height beyond which a photo is refused.
            hold_pixels: bounds what is decoded at once, where several threads decode.

        Raises:
            IndexMismatch: the index was built by another encoder.
        """
        index.require_encoder(encoder)
        self.encoder = encoder
        self.index = index
        self.calibration = load_calibration(index.folder, index.manifest)
        self.headings = headings
        self._max_pixels = max_pixels
        self._hold_pixels = hold_pixels

    @classmethod
    def open(
        cls,
        index: Path | str,
        *,
        checkpoint: str = "demo",
        device: str = "auto",
        headings: int = COARSE_HEADINGS,
        max_pixels: int = MAX_PIXELS,
    ) -> Localizer:
        """Open an index folder and load the encoder that built it.

        Args:
            index: folder made by `indexer build`.
            checkpoint: bundle folder, or the name of a packaged one.
            device: auto, cpu, cuda, cuda:N or mps.
            headings: how many headings to try first where a photo's is unknown.
            max_pixels: width times height beyond which a photo is refused.

        Raises:
            IndexMismatch: the index was built by another encoder.
            IndexDamaged: a file of the index is missing, changed or contradicts the manifest.
            BadCheckpoint: there is no such bundle, or it is damaged.
        """
        from model.network.encoder import Encoder  # loads torch, which a caller with its own encoder may not have

        opened = TileIndex.open(Path(index))
        encoder = Encoder.load(checkpoint, device=device)
        return cls(encoder, opened, headings=headings, max_pixels=max_pixels)

    def localize(
        self,
        photo: bytes | Path | Image.Image,
        view: View | None = None,
        *,
        top_k: int = 5,
        check: Callable[[], None] = _never,
    ) -> Localization:
        """Find the tiles that match a photo, and the position that they speak for.

        Args:
            photo: an encoded picture, the file that holds one, or an upright RGB picture.
            view: its heading, field of view, and the area to search; None: north-centred, 360 degrees, everywhere.
            top_k: number of matches to return.
            check: called between the steps; what it raises ends the work.

        Raises:
            BadImage: the photo cannot be decoded or is too large.
            BadConfig: the field of view is out of range, or the heading is not finite.
            BadQuery: top_k is below one.
            NoTilesInRegion: the area holds no tile.
        """
        begin = time.perf_counter()
        view = view or View()
        watch = _Stopwatch()
        with watch.step("decode"):
            canvas, warnings = self._canvas(photo, view)
        check()
        found = self._rank(canvas, view.heading_deg, top_k, view.region, watch, check)
        if not found.hits:
            raise NoTilesInRegion(
                f"none of the {self.index.count:,} tiles of index {self.index.name} touches the given area; widen it, "
                "or leave it out (are latitude and longitude swapped?)"
            )
        calibration = None if warnings else self._calibration_for(view)
        position = locate(TopK.of(self.index, found.hits), calibration)
        watch.seconds["total"] = time.perf_counter() - begin
        matches = self._matches(found.hits[:top_k])
        return Localization(matches, position, watch.seconds, found.exact, found.scanned, warnings)

    def rank_tiles(self, canvas: NDArray[np.uint8], *, heading_deg: float | None, top_k: int = BEST) -> RankedTiles:
        """Search the whole index with a canvas that is laid already.

        Args:
            canvas: uint8 [H, W, 3] of the encoder's size; laid by its heading or, where that is unknown, as if its
                centre looked north.
            heading_deg: what matches are said to look at; None searches over headings.
            top_k: number of tiles wanted; at least `BEST` are looked for.

        Raises:
            BadQuery: top_k is below one.
        """
        return self._rank(canvas, heading_deg, top_k, None, _Stopwatch(), _never)

    def _rank(
        self,
        canvas: NDArray[np.uint8],
        heading_deg: float | None,
        top_k: int,
        region: Region | None,
        watch: _Stopwatch,
        check: Callable[[], None],
    ) -> RankedTiles:
        results: list[SearchResult] = []
        wanted = max(top_k, BEST) if top_k > 0 else top_k  # a top_k below one is the index's to refuse

        def find(canvases: NDArray[np.uint8]) -> list[SearchResult]:
            with watch.step("embed"):
                vectors = self.encoder.encode_ground(canvases)
            check()
            with watch.step("search"):
                found = self.index.search(vectors, top_k=wanted, region=region)
            results.extend(found)
            return found

        hits = search_headings(canvas, find, heading_deg=heading_deg, count=self.headings)
        return RankedTiles(hits, all(result.exact for result in results), max(result.scanned for result in results))

    def _calibration_for(self, view: View) -> Calibration | None:
        """The index's, where it was fitted on questions like this one; it has never seen the search of an area."""
        asked = Conditions.of(view.heading_deg, view.fov_deg, headings=self.headings)
        calibration = self.calibration
        fitting = calibration is not None and view.region is None and calibration.conditions.include(asked)
        return calibration if fitting else None

    def _canvas(self, photo: bytes | Path | Image.Image, view: View) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
        inputs = self.encoder.inputs
        with self._hold_pixels(0 if isinstance(photo, Image.Image) else self._pixels(photo)):
            image = photo
            if not isinstance(image, Image.Image):
                image = decode_image(image, at_least_px=inputs.ground_decode_px, max_pixels=self._max_pixels)
            canvas = lay_panorama(image, inputs, heading_deg=view.heading_deg or 0.0, fov_deg=view.fov_deg)
            return canvas, tuple(photo_warnings(image, view.fov_deg))

    def _pixels(self, photo: bytes | Path) -> int:
        return min(declared_pixels(photo), self._max_pixels)

    def _matches(self, hits: list[Hit]) -> tuple[Match, ...]:
        return tuple(
            Match(rank, self.index.tile(hit.row), hit.score, hit.heading_deg) for rank, hit in enumerate(hits, 1)
        )
