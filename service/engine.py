"""What lives as long as the process: the loaded model and index, the worker threads, and the state they are in."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from indexer.common.encoders import QueryEncoder
from indexer.index.tile_index import TileIndex
from indexer.localization.localizer import Localizer
from indexer.localization.reranking import Reranker
from model.inputs.transforms import NEUTRAL
from service.concurrency.batching import BatchingEncoder, MicroBatcher
from service.concurrency.pixel_budget import PixelBudget
from service.concurrency.workers import WorkerPool
from service.demo.preparation import Preparation
from service.errors import NotReady
from service.metrics import Metrics
from service.settings import Settings

__all__ = ["Engine", "LoadEncoder", "Serving"]

logger = logging.getLogger(__name__)

LoadEncoder = Callable[[Settings], tuple[QueryEncoder, bool]]
"""Settings -> the encoder and whether it runs on an accelerator."""


@dataclass(frozen=True)
class Serving:
    """Everything that a request needs."""

    localizer: Localizer
    pool: WorkerPool
    batcher: MicroBatcher

    def close(self) -> None:
        """Finish what is begun."""
        self.pool.close()
        self.batcher.close()
        self.localizer.index.close()


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

    def load(self) -> None:
        """Open index and model and check that they fit; on failure remember the reason and go on living."""
        try:
            self._serving = self._open()
            self.state = "ready"
            logger.info("ready: %s tiles of %s", self._serving.localizer.index.count, self._settings.index)
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

    def close(self) -> None:
        """Refuse new work, finish what is begun."""
        self.state = "stopping"
        if self._serving is not None:
            self._serving.close()

    def _reason(self) -> str:
        if self.state == "failed":
            return f"model and index cannot be served: {self.failure}"
        if self.state == "stopping":
            return "the service is stopping"
        stage = "" if self._preparation is None else self._preparation.stage
        return stage or "model and index are being loaded"

    def _open(self) -> Serving:
        # The encoder comes first: a wrong checkpoint must not cost the minutes of making an index.
        encoder, accelerated = self._load_encoder(self._settings)
        if self._preparation is not None:
            self._preparation.run()
        index = TileIndex.open(Path(self._settings.index), verify=self._settings.verify_index)
        index.require_encoder(encoder)
        _try_out(encoder, index)
        self._metrics.index_tiles(index.count)
        return self._set_up(encoder, index, accelerated=accelerated)

    def _set_up(self, encoder: QueryEncoder, index: TileIndex, *, accelerated: bool) -> Serving:
        settings, metrics = self._settings, self._metrics
        batcher = MicroBatcher(
            encoder.encode_ground,
            max_rows=settings.max_batch or (32 if accelerated else 1),
            wait_s=settings.batch_wait_ms / 1000,
            on_batch=metrics.batch,
        )
        localizer = Localizer(
            BatchingEncoder(encoder, batcher),
            index,
            max_pixels=settings.max_pixels,
            hold_pixels=PixelBudget(round(settings.decode_megapixels * 1_000_000)).hold,
            headings=settings.headings,
            reranker=Reranker.open(
                index,
                checkpoint=settings.checkpoint,
                device=settings.device,
                engine=settings.engine,
                candidates=settings.rerank,
            ),
        )
        _tell_of_other_headings(localizer)
        pool = WorkerPool(
            threads=settings.workers or (16 if accelerated else os.cpu_count() or 1),
            queue_limit=settings.queue_limit,
            deadline_s=settings.deadline_s,
            observer=metrics,
        )
        return Serving(localizer, pool, batcher)


def _tell_of_other_headings(localizer: Localizer) -> None:
    tried = {one.conditions.headings for one in localizer.calibrations.each if one.conditions.headings is not None}
    if tried and localizer.headings not in tried:
        most = max(tried)
        logger.warning(
            "answers to unknown headings carry no confidence: %s was calibrated with %s headings tried, the service "
            "tries %s; start it with --headings %s, or calibrate with --headings %s",
            *(localizer.index.folder, most, localizer.headings, most, localizer.headings),
        )


def _try_out(encoder: QueryEncoder, index: TileIndex) -> None:
    """Embed and search once, so that the first client pays for no lazy loading and a broken pair never gets ready."""
    width, height = encoder.inputs.ground_size_px
    canvas = np.full((1, height, width, 3), NEUTRAL, np.uint8)
    index.search(encoder.encode_ground(canvas), top_k=1)
