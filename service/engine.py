"""What lives as long as the process: the loaded model and index, what works with them, and the state they are in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from indexer.common.encoders import QueryEncoder
from indexer.common.errors import DatabaseAway
from indexer.index.searchable import SearchableIndex
from indexer.index.tile_index import TileIndex
from indexer.localization.answer import Localization
from indexer.localization.localizer import Localizer
from indexer.localization.reranking import Reranker
from indexer.milvus.opening import open_index
from model.common.counted import counted
from model.inputs.transforms import NEUTRAL
from service.answering import Question, Serving, answer_batch
from service.concurrency.batching import Batcher
from service.concurrency.decode_lanes import DecodeLanes
from service.concurrency.line import Line
from service.corpus import Corpus
from service.errors import NotReady
from service.explaining import Explaining
from service.first_start.layout import best_batch
from service.first_start.preparation import Preparation
from service.first_start.remembered import measured_once
from service.following import calibration_mark, follow
from service.index_guard import IndexGuard
from service.metrics import Metrics
from service.settings import Settings

__all__ = ["Engine", "LoadEncoder"]

logger = logging.getLogger(__name__)

_AGAIN_S = 5.0
"""Between two tries to reach a database."""

LoadEncoder = Callable[[Settings], tuple[QueryEncoder, bool]]
"""Settings -> the encoder and whether it runs on an accelerator."""


class Engine:
    """Loads model and index once, hands them to requests, and lets go of them at the end."""

    def __init__(
        self, settings: Settings, metrics: Metrics, *, load_encoder: LoadEncoder, preparation: Preparation | None = None
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._load_encoder = load_encoder
        self._preparation = preparation
        self._serving: Serving | None = None
        self.state: Literal["loading", "ready", "failed", "stopping"] = "loading"
        self.failure: Exception | None = None
        self.loaded = threading.Event()
        self._leaving = False
        self._waits_for = ""
        self._gone = threading.Event()
        self._swapping = threading.Lock()
        self._mark: tuple[int, int] | None = None

    def load(self) -> None:
        """Open index and model and check that they fit; on failure remember the reason and go on living."""
        try:
            self._mark = calibration_mark(self._folder)
            self._serving = self._open()
            self.state = "ready"
            self._follow()
            logger.info("ready: %s of %s", counted(self._serving.localizer.index.count, "tile"), self._settings.index)
        except Exception as error:
            logger.error("cannot serve: %s", error)
            self.state, self.failure = "failed", error
        finally:
            self.loaded.set()

    def require(self) -> Serving:
        """What a request needs.

        Raises:
            NotReady: it is still being loaded, could not be, or is going away.
        """
        if self._serving is None or self.state != "ready":
            raise NotReady(self._reason())
        return self._serving

    def require_ready(self) -> None:
        """Whether new clients should be sent here.

        Raises:
            NotReady: it cannot serve, or will soon stop.
            IndexDamaged: the index's files were changed under it.
        """
        serving = self.require()
        if self._leaving:
            raise NotReady("the service is about to stop")
        serving.guard.require()

    def swap(self) -> bool:
        """Open the index's folder anew and serve what lies there now; what does not fit leaves all as it is.

        Requests that have begun end with the index that they began with.

        Returns:
            Whether it is served.
        """
        with self._swapping:
            old = self._serving
            if old is None or self.state != "ready":
                logger.error("the index is not replaced: %s", self._reason())
                return False
            mark = calibration_mark(self._folder)
            try:
                new = self._renewed(old)
            except Exception as error:
                logger.error("the index is not replaced, the old one stays: %s", error)
                self._metrics.swapped("failed")
                return False
            self._serving, self._mark = new, mark
            self._metrics.swapped("done")
            self._metrics.index_tiles(new.localizer.index.count)
            logger.info(
                "the index is replaced: %s, %s",
                counted(new.localizer.index.count, "tile"),
                new.localizer.index.digest[:12],
            )
        patience = threading.Timer(self._settings.deadline_s + 5.0, old.close_index)
        patience.daemon = True
        patience.start()
        return True

    def _follow(self) -> None:
        """From now on take newer versions of the index's folder as they come."""
        if self._folder is not None and (every_s := self._settings.follow_s):
            run = partial(follow, self._is_behind, self.swap, every_s=every_s, gone=self._gone)
            threading.Thread(target=run, name="follow", daemon=True).start()

    def _is_behind(self) -> bool:
        index = None if self._serving is None else self._serving.localizer.index
        newer = isinstance(index, TileIndex) and not index.is_current
        mark = calibration_mark(self._folder)
        return newer or (mark is not None and mark != self._mark)

    @property
    def _folder(self) -> Path | None:
        """The index's, where it is in one."""
        return self._settings.index if isinstance(self._settings.index, Path) else None

    def _renewed(self, old: Serving) -> Serving:
        encoder = old.localizer.encoder
        index = _opened(self._settings, encoder)
        return self._around(encoder, index, old.line, old.lanes, batch=old.batcher.max_items)

    def leave(self) -> None:
        """Go on working, but ask for no new clients."""
        self._leaving = True

    def stop_waiting(self) -> None:
        """Give up what is being waited for, so that loading ends."""
        self._gone.set()

    def close(self) -> None:
        """Refuse new work, finish what is begun."""
        self.stop_waiting()
        self.state = "stopping"
        if self._serving is not None:
            self._serving.close()

    def _reason(self) -> str:
        if self.state == "failed":
            return f"model and index cannot be served: {self.failure}"
        if self.state == "stopping":
            return "the service is stopping"
        stage = "" if self._preparation is None else self._preparation.stage
        return stage or self._waits_for or "model and index are being loaded"

    def _open(self) -> Serving:
        lanes = self._start_lanes()  # which load their libraries while the network is loaded here
        try:
            # The encoder comes first: a wrong checkpoint must not cost the minutes of making an index.
            encoder, accelerated = self._load_encoder(self._settings)
            return self._open_index(encoder, lanes, accelerated=accelerated)
        except BaseException:
            lanes.close()
            raise

    def _open_index(self, encoder: QueryEncoder, lanes: DecodeLanes, *, accelerated: bool) -> Serving:
        if self._preparation is not None:
            self._preparation.run()
        index = self._wait_for(partial(_opened, self._settings, encoder))
        self._metrics.index_tiles(index.count)
        serving = self._set_up(encoder, index, lanes=lanes, accelerated=accelerated)
        lanes.warm()
        return serving

    def _wait_for(self, opened: Callable[[], SearchableIndex]) -> SearchableIndex:
        """Open the index, and try again for as long as a database that holds it does not answer.

        Raises:
            DatabaseAway: the service was stopped meanwhile.
        """
        while True:
            try:
                return opened()
            except DatabaseAway as error:
                self._waits_for = f"the index's database does not answer; it is asked again every {_AGAIN_S:g} s"
                logger.warning("%s; trying again", error)
                if self._gone.wait(_AGAIN_S):
                    raise

    def _set_up(
        self, encoder: QueryEncoder, index: SearchableIndex, *, lanes: DecodeLanes, accelerated: bool
    ) -> Serving:
        settings = self._settings
        largest = 256 if accelerated else 32
        about = {"encoder": encoder.digest, "engine": settings.engine, "device": settings.device, "largest": largest}
        batch = settings.max_batch or measured_once(
            "photos in a pass", about | {"threads": settings.threads}, partial(best_batch, encoder, largest=largest)
        )
        logger.info("photos are embedded up to %s at once", batch)
        limit = settings.decoders + settings.queue_limit
        line = Line(limit=limit, deadline_s=settings.deadline_s, observer=self._metrics)
        return self._around(encoder, index, line, lanes, batch=batch)

    def _around(
        self, encoder: QueryEncoder, index: SearchableIndex, line: Line, lanes: DecodeLanes, *, batch: int
    ) -> Serving:
        """What serves one opened index."""
        settings = self._settings
        reranker = Reranker.open(
            index,
            checkpoint=settings.checkpoint,
            device=settings.device,
            engine=settings.engine,
            candidates=settings.rerank,
        )
        localizer = Localizer(
            encoder, index, max_pixels=settings.max_pixels, headings=settings.headings, reranker=reranker
        )
        _tell_of_other_headings(localizer)
        guard = IndexGuard(index.folder)
        batcher: Batcher[Question, Localization] = Batcher(
            partial(answer_batch, localizer, guard),
            max_items=batch,
            on_batch=self._metrics.batch,
            crowded=lanes.crowded,
        )
        explaining = Explaining(localizer, settings.checkpoint)
        return Serving(localizer, line, lanes, batcher, guard, Corpus(index), explaining)

    def _start_lanes(self) -> DecodeLanes:
        settings = self._settings
        return DecodeLanes(light=settings.decoders, heavy=settings.heavy_decoders, max_pixels=settings.max_pixels)


def _tell_of_other_headings(localizer: Localizer) -> None:
    tried = {one.conditions.headings for one in localizer.calibrations.each if one.conditions.headings is not None}
    if tried and localizer.headings not in tried:
        most = max(tried)
        logger.warning(
            "answers to unknown headings carry no confidence: %s was calibrated with %s headings tried, the service "
            "tries %s; start it with --headings %s, or calibrate with --headings %s",
            *(localizer.index.name, most, localizer.headings, most, localizer.headings),
        )


def _opened(settings: Settings, encoder: QueryEncoder) -> SearchableIndex:
    """The index of the settings, opened and tried out."""
    index = open_index(settings.index, verify=settings.verify_index, scan_on=settings.scan_on)
    try:
        index.require_encoder(encoder)
        _try_out(encoder, index)
    except BaseException:
        index.close()
        raise
    return index


def _try_out(encoder: QueryEncoder, index: SearchableIndex) -> None:
    """Embed and search once, so that the first client pays for no lazy loading and a broken pair never gets ready."""
    width, height = encoder.inputs.ground_size_px
    canvas = np.full((1, height, width, 3), NEUTRAL, np.uint8)
    index.search(encoder.encode_ground(canvas), top_k=1)
    if encoder.sweeps:
        encoder.encode_headings(canvas)
