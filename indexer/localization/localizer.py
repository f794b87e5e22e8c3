"""From a photo to ranked tiles and one position. The command line, calibration and HTTP all call this.

decode -> lay on the north-centred canvas -> embed -> search -> fuse; where the heading is unknown, over all headings.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.encoders import QueryEncoder
from indexer.common.errors import BadQuery
from indexer.confidence.calibration import Calibration, Conditions
from indexer.confidence.features import BEST, TopK
from indexer.index.searchable import SearchableIndex
from indexer.index.zones import SearchResult
from indexer.localization.answer import Localization, Match, PreparedPhoto, RankedTiles, by_region
from indexer.localization.position import locate
from indexer.localization.preparing import prepare_photo
from indexer.localization.reranking import Reranker
from indexer.localization.timing import Stopwatch, TimedEncoder
from indexer.localization.together import JointLocalization, answer_together, no_tiles
from indexer.milvus.address import MilvusAddress
from indexer.milvus.opening import calibrations_of, open_index
from indexer.tiles.region import RecentImagery, Region
from model.common.counted import counted
from model.common.errors import GeoLocalizationError
from model.common.images import MAX_PIXELS
from model.inputs.heading_search import COARSE_HEADINGS, Hit, hits_of, rolled, search_headings
from model.inputs.photo_view import GivenView
from model.network.specs import DEFAULT_CHECKPOINT

__all__ = ["Localizer"]


def _never() -> None:
    """The check of a caller that waits as long as it takes."""


class Localizer:
    """An encoder and an index that fit together, and the index's calibrations.

    Example:
        >>> localizer = Localizer.open("my-index")  # doctest: +SKIP
        >>> localizer.localize(Path("photo.jpg"), top_k=5).position.centre  # doctest: +SKIP
        LatLon(lat=47.1, lon=8.5)

    Attributes:
        encoder: embeds photos.
        index: what is searched.
        calibrations: how sure answers are, for the questions that this was fitted on.
        headings: how many headings are tried first where a photo's is unknown.
        reranker: looks at the best tiles of one photo again; None does not.
    """

    def __init__(
        self,
        encoder: QueryEncoder,
        index: SearchableIndex,
        *,
        headings: int = COARSE_HEADINGS,
        max_pixels: int = MAX_PIXELS,
        reranker: Reranker | None = None,
    ) -> None:
        """Read the index's calibrations; what does not belong to it is left out with a warning.

        Args:
            encoder: the one that built the index.
            index: an opened index.
            headings: how many headings to try first where a photo's is unknown.
            max_pixels: width times height beyond which a photo is refused.
            reranker: looks at the best tiles of one photo again.

        Raises:
            IndexMismatch: the index was built by another encoder.
        """
        index.require_encoder(encoder)
        self.encoder = encoder
        self.index = index
        self.calibrations = calibrations_of(index)
        self.headings = headings
        self.reranker = reranker
        self._max_pixels = max_pixels

    @classmethod
    def open(  # noqa: PLR0913 - each is an option of its own
        cls,
        index: Path | str | MilvusAddress,
        *,
        checkpoint: str = DEFAULT_CHECKPOINT,
        device: str = "auto",
        engine: str = "auto",
        headings: int = COARSE_HEADINGS,
        max_pixels: int = MAX_PIXELS,
        rerank: int = 0,
        exact: bool = False,
        since: datetime.date | None = None,
        scan_on: str | None = None,
    ) -> Localizer:
        """Open an index and load the encoder that built it.

        Args:
            index: folder made by `indexer build`, or the address of a collection made by `indexer publish`.
            checkpoint: bundle folder, or the name of a packaged one.
            device: auto, cpu, cuda, cuda:N or mps.
            engine: auto, onnxruntime, openvino or torch.
            headings: how many headings to try first where a photo's is unknown.
            max_pixels: width times height beyond which a photo is refused.
            rerank: how many of the best tiles to look at again; 0 for none.
            exact: compare a photo with every tile, whatever lists the index has.
            since: leave out imagery that is older, or of which no date was said.
            scan_on: device that compares every tile, from a copy in its memory, such as cuda; None for the processors.

        Raises:
            BadConfig: there is no such device.
            BadRecipe: the device's memory is too small for the index.
            BadQuery: an index of one vector a tile, and tiles are to be looked at again.
            BadSource: the same, and its tiles are no longer on disk.
            IndexMismatch: the index was built by another encoder.
            NoSuchIndex: there is no such index folder.
            IndexDamaged: a file of the index is missing, changed or contradicts the manifest.
            BadCheckpoint: there is no such bundle, or it is damaged.
            DatabaseAway: the index lies in a database, which does not answer.
        """
        from model.network.encoder import Encoder

        opened = open_index(index, exact=exact, since=since, scan_on=scan_on)
        encoder = Encoder.load(checkpoint, device=device, engine=engine)
        reranker = Reranker.open(opened, checkpoint=checkpoint, device=device, engine=engine, candidates=rerank)
        return cls(encoder, opened, headings=headings, max_pixels=max_pixels, reranker=reranker)

    @property
    def reranked(self) -> int:
        """How many of the best tiles of one photo are looked at again."""
        return 0 if self.reranker is None else self.reranker.candidates

    def localize(
        self,
        photo: bytes | Path | str | Image.Image,
        given: GivenView | None = None,
        *,
        region: Region | None = None,
        top_k: int = 5,
        check: Callable[[], None] = _never,
    ) -> Localization:
        """Find the tiles that match a photo, and the position that they speak for.

        Args:
            photo: an encoded picture, the file that holds one, or an upright RGB picture, which says nothing of itself.
            given: what is known of it besides; what is left out, the photo says itself, or its shape suggests.
            region: area to search; None for the whole index.
            top_k: number of matches to return.
            check: called between the steps; what it raises ends the work.

        Raises:
            BadImage: the photo cannot be read or decoded, or is too large.
            BadConfig: the angles given cannot be those of the photo.
            BadQuery: top_k is below one.
            NoTilesInRegion: the area holds no tile.
        """
        prepared = self.prepare(photo, given, region=region)
        check()
        return self.answer([prepared], top_k=top_k, check=check)[0]

    def prepare(
        self, photo: bytes | Path | str | Image.Image, given: GivenView | None = None, *, region: Region | None = None
    ) -> PreparedPhoto:
        """Decode a photo, settle where it looks, and lay it on the canvas; several threads may do so at once.

        Raises:
            BadImage: the photo cannot be read or decoded, or is too large.
            BadConfig: the angles given cannot be those of the photo.
        """
        return prepare_photo(photo, self.encoder.inputs, given, region=region, max_pixels=self._max_pixels)

    def answer(
        self, photos: Sequence[PreparedPhoto], *, top_k: int = 5, check: Callable[[], None] = _never
    ) -> list[Localization]:
        """Search for prepared photos; those whose heading is known are embedded together.

        Args:
            photos: in any number; memory grows with it.
            top_k: number of matches of each.
            check: called between the steps; what it raises ends the work.

        Raises:
            BadQuery: top_k is below one.
            NoTilesInRegion: the area of a photo holds no tile.
        """
        answers = dict(self.answer_each(photos, [top_k] * len(photos), check=check))
        return [_answer_or_raise(answers[number]) for number in range(len(photos))]

    def answer_each(
        self, photos: Sequence[PreparedPhoto], top_k: Sequence[int], *, check: Callable[[], None] = _never
    ) -> Iterator[tuple[int, Localization | GeoLocalizationError]]:
        """Search for prepared photos that have nothing to do with each other: one's failure is its own answer.

        Photos whose heading is known are embedded together, and searched together where their areas are the same.

        Args:
            photos: in any number; memory grows with it.
            top_k: number of matches of each.
            check: called between the steps; what it raises ends the work.

        Yields:
            The photo's number and its answer, or why there is none; in the order in which they are found.
        """
        known = [number for number, photo in enumerate(photos) if photo.view.heading_deg is not None]
        vectors, embed_s = self._embed([photos[number].canvas for number in known])
        check()
        vector_of = dict(zip(known, vectors, strict=True))
        for numbers in by_region(photos, known):
            began = time.perf_counter()
            most = max(BEST, self.reranked, *(top_k[number] for number in numbers))
            try:
                stack = np.stack([vector_of[number] for number in numbers])
                results = self.index.search(stack, top_k=most, region=photos[numbers[0]].region)
            except GeoLocalizationError as error:
                yield from ((number, error) for number in numbers)
                continue
            spent = {"embed": embed_s / len(known), "search": (time.perf_counter() - began) / len(numbers)}
            for number, result in zip(numbers, results, strict=True):
                yield number, _kept(partial(self._answer_known, photos[number], result, spent, top_k[number]))
        for number in sorted(set(range(len(photos))) - set(known)):
            yield number, _kept(partial(self._answer_unknown, photos[number], top_k[number], check))

    def localize_together(
        self,
        photos: Sequence[bytes | Path | str | Image.Image],
        given: Sequence[GivenView] | None = None,
        *,
        region: Region | None = None,
        top_k: int = 5,
    ) -> JointLocalization:
        """Answer once for photos that were taken within some metres of each other, whichever way they look.

        Args:
            photos: at least one, as `localize` takes them.
            given: what is known of each besides; None where that is nothing.
            region: area to search; None for the whole index.
            top_k: number of matches to return.

        Raises:
            BadImage: a photo cannot be read or decoded, or is too large.
            BadConfig: the angles given cannot be those of a photo.
            BadQuery: no photo, or top_k below one.
            TooManyTiles: the area has more tiles than are scored at once.
            NoTilesInRegion: the area holds no tile.
        """
        views = given or [GivenView()] * len(photos)
        prepared = [self.prepare(photo, view, region=region) for photo, view in zip(photos, views, strict=True)]
        return self.answer_together(prepared, top_k=top_k)

    def answer_together(
        self, photos: Sequence[PreparedPhoto], *, top_k: int = 5, check: Callable[[], None] = _never
    ) -> JointLocalization:
        """The same for prepared photos; `check` is called between them, and what it raises ends the work.

        Raises:
            BadQuery: no photo, photos of different areas, or top_k below one.
            TooManyTiles: the area has more tiles than are scored at once.
            NoTilesInRegion: the area holds no tile.
        """
        return answer_together(self.encoder, self.index, photos, headings=self.headings, top_k=top_k, check=check)

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
        return self._rank(canvas, heading_deg, top_k, None, Stopwatch(), _never)

    def _embed(self, canvases: list[NDArray[np.uint8]]) -> tuple[NDArray[np.float32], float]:
        began = time.perf_counter()
        vectors = self.encoder.encode_ground(np.stack(canvases)) if canvases else np.empty((0, 0), np.float32)
        return vectors, time.perf_counter() - began

    def _answer_known(
        self, photo: PreparedPhoto, result: SearchResult, spent: dict[str, float], top_k: int
    ) -> Localization:
        if top_k < 1:
            raise BadQuery(f"top_k is {top_k}; give at least 1")
        began = time.perf_counter()
        assert photo.view.heading_deg is not None
        hits = hits_of(result, photo.view.heading_deg)
        hits, unread = self._look_again(photo.canvas, hits[: self._wanted(top_k)], known=True)
        seconds = {"decode": photo.seconds, **spent}
        seconds["search"] += time.perf_counter() - began
        return self._localization(photo, RankedTiles(hits, result.exact, result.scanned, unread), seconds, top_k)

    def _answer_unknown(self, photo: PreparedPhoto, top_k: int, check: Callable[[], None]) -> Localization:
        watch = Stopwatch({"decode": photo.seconds, "embed": 0.0, "search": 0.0})
        found = self._rank(photo.canvas, None, top_k, photo.region, watch, check)
        return self._localization(photo, found, watch.seconds, top_k)

    def _localization(
        self, photo: PreparedPhoto, found: RankedTiles, seconds: dict[str, float], top_k: int
    ) -> Localization:
        if not found.hits:
            raise no_tiles(self.index, photo.region)
        began = time.perf_counter()
        warnings = (*photo.warnings, *self._unread(found.unread))
        position = locate(TopK.of(self.index, found.hits), self._calibration_for(photo, warnings))
        matches = self._matches(found.hits[:top_k])
        seconds["total"] = sum(seconds.values()) + time.perf_counter() - began
        return Localization(matches, position, photo.view, seconds, found.exact, found.scanned, warnings)

    def _rank(
        self,
        canvas: NDArray[np.uint8],
        heading_deg: float | None,
        top_k: int,
        region: Region | None,
        watch: Stopwatch,
        check: Callable[[], None],
    ) -> RankedTiles:
        results: list[SearchResult] = []

        def find(vectors: NDArray[np.float32]) -> list[SearchResult]:
            check()
            with watch.step("search"):
                found = self.index.search(vectors, top_k=self._wanted(top_k), region=region)
            results.extend(found)
            return found

        encoder = TimedEncoder(self.encoder, watch)
        hits = search_headings(canvas, encoder, find, heading_deg=heading_deg, count=self.headings)
        with watch.step("search"):
            hits, unread = self._look_again(canvas, hits, known=heading_deg is not None)
        scanned = max(result.scanned for result in results)
        return RankedTiles(hits, all(result.exact for result in results), scanned, unread)

    def _unread(self, count: int) -> Iterator[str]:
        if count:
            yield (
                f"{count} of the best {counted(self.reranked, 'tile')} cannot be read any more, so not looked at "
                f"again; put the pictures of index {self.index.name} back, or leave --rerank out"
            )

    def _calibration_for(self, photo: PreparedPhoto, warnings: Sequence[str]) -> Calibration | str:
        """The one that was fitted on questions like this one, or why there is none."""
        if warnings:
            return "see the warning"
        if isinstance(photo.region, RecentImagery):
            return "recent imagery alone was searched, and the index is calibrated with all of it"
        view = photo.view
        asked = Conditions.of(view.heading_deg, view.fov_deg, headings=self.headings, reranked=self.reranked)
        return self.calibrations.for_question(asked) or self.calibrations.why_none(asked)

    def _matches(self, hits: list[Hit]) -> tuple[Match, ...]:
        index = self.index
        return tuple(
            Match(rank, index.tile(hit.row), hit.score, hit.heading_deg, index.point(hit.row, hit.anchor, hit.shift))
            for rank, hit in enumerate(hits, 1)
        )

    def _look_again(self, canvas: NDArray[np.uint8], hits: list[Hit], *, known: bool) -> tuple[list[Hit], int]:
        """Rank the first hits again, each with the photo laid at its heading; and how many tiles cannot be read."""
        if self.reranker is None or not hits:
            return hits, 0
        columns, first = canvas.shape[1], hits[: self.reranker.candidates]
        turns = [0 if known else round(hit.heading_deg * columns / 360.0) for hit in first]
        tried = sorted(set(turns))
        vectors = self.encoder.encode_ground(rolled(canvas, tried))
        return self.reranker.refine(hits, vectors[[tried.index(turn) for turn in turns]])

    def _wanted(self, top_k: int) -> int:
        """What is asked of the index: all that is looked at later; a number below one is the index's to refuse."""
        return max(top_k, BEST, self.reranked) if top_k > 0 else top_k


def _kept(answer: Callable[[], Localization]) -> Localization | GeoLocalizationError:
    """An answer, or the error that stands in its place."""
    try:
        return answer()
    except GeoLocalizationError as error:
        return error


def _answer_or_raise(answer: Localization | GeoLocalizationError) -> Localization:
    if isinstance(answer, GeoLocalizationError):
        raise answer
    return answer
