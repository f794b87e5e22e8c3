"""What a request needs once its form is read: decoding, the joined batches, and the index's guard, as one value."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from indexer.localization.answer import Localization, PreparedPhoto
from indexer.localization.localizer import Localizer
from indexer.localization.together import JointLocalization
from indexer.tiles.region import Region
from model.common.errors import GeoLocalizationError
from model.inputs.photo_view import GivenView
from service.concurrency.batching import Batcher
from service.concurrency.decode_lanes import DecodeLanes
from service.concurrency.line import Line
from service.corpus import Corpus
from service.explaining import Explained, Explaining
from service.index_guard import IndexGuard

_P = ParamSpec("_P")
_T = TypeVar("_T")

__all__ = ["Question", "Serving", "answer_batch"]


@dataclass(frozen=True)
class Question:
    """A prepared photo and how many matches are wanted."""

    photo: PreparedPhoto
    top_k: int


@dataclass(frozen=True)
class Serving:
    """Everything that a request needs."""

    localizer: Localizer
    line: Line
    lanes: DecodeLanes
    batcher: Batcher[Question, Localization]
    guard: IndexGuard
    corpus: Corpus
    explaining: Explaining

    async def localize(
        self, read: Callable[[], Awaitable[bytes]], given: GivenView, *, region: Region | None, top_k: int
    ) -> Localization:
        """Answer one photo, in the line.

        Args:
            read: gives the encoded photo.
            given: what is known of it besides.
            region: area to search; None for the whole index.
            top_k: number of matches.

        Raises:
            Overloaded: the line is full.
            DeadlineExceeded: it took too long.
            GeoLocalizationError: as `Localizer.localize`, and `WorkerLost`.
        """
        return await self.line.run(self._localize(read, given, region, top_k))

    async def _localize(
        self, read: Callable[[], Awaitable[bytes]], given: GivenView, region: Region | None, top_k: int
    ) -> Localization:
        photo = replace(await self.prepare(read, given), region=region)
        return await asyncio.wrap_future(self.batcher.submit(Question(photo, top_k)))

    async def prepare(self, read: Callable[[], Awaitable[bytes]], given: GivenView) -> PreparedPhoto:
        """Decode a photo and lay it on the canvas, in a process that ends with the caller's patience.

        Raises:
            GeoLocalizationError: as `DecodeLanes.prepare`.
        """
        return await self.lanes.prepare(read, given, self.localizer.encoder.inputs)

    async def explain(self, photo: PreparedPhoto, row: int) -> Explained:
        """Why a photo scores as it does with the tile of a row.

        Raises:
            GeoLocalizationError: as `Explaining.explain`, and `IndexDamaged`.
        """
        return await asyncio.to_thread(self._guarded, self.explaining.explain, photo, row)

    async def answer_together(self, photos: Sequence[PreparedPhoto], *, top_k: int) -> JointLocalization:
        """Answer once for prepared photos of one place.

        Raises:
            GeoLocalizationError: as `Localizer.answer_together`, and `IndexDamaged`.
        """
        return await asyncio.to_thread(self._guarded, self.localizer.answer_together, photos, top_k=top_k)

    def _guarded(self, read: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
        with self.guard.reading():
            return read(*args, **options)

    def close(self) -> None:
        """Finish what is begun."""
        self.lanes.close()
        self.close_index()

    def close_index(self) -> None:
        """Let go of the index, once nobody asks it any more; the rest may serve another."""
        self.batcher.close()
        self.guard.close()
        self.localizer.index.close()


def answer_batch(
    localizer: Localizer, guard: IndexGuard, questions: Sequence[Question]
) -> Iterator[tuple[int, Localization | GeoLocalizationError]]:
    """Answer what gathered, embedded and searched together.

    Raises:
        IndexDamaged: the index was written to; no question can be answered.
    """
    photos = [question.photo for question in questions]
    with guard.reading():
        yield from localizer.answer_each(photos, [question.top_k for question in questions])
