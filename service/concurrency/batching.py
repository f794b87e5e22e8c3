"""Joins the photos of concurrent requests into one forward pass.

Worker threads call `encode_ground` as if they had the encoder to themselves; one thread gathers what they bring, up
to `max_rows` or until `wait_s` is over, and hands each its rows of the result. With `max_rows=1` nothing is joined,
and the thread only keeps forward passes from competing for the cores.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from indexer.common.encoders import QueryEncoder
from model.inputs.transforms import InputSpec

__all__ = ["BatchingEncoder", "MicroBatcher"]

_Pixels = NDArray[np.uint8]
_Vectors = NDArray[np.float32]
_Item = tuple[_Pixels, "Future[_Vectors]"]


class MicroBatcher:
    """One thread that runs `encode` on joined batches.

    Example:
        >>> batcher = MicroBatcher(lambda pixels: pixels.mean(axis=(1, 2)), max_rows=8)
        >>> batcher.submit(np.zeros((2, 4, 8, 3), np.uint8)).result().shape
        (2, 3)
        >>> batcher.close()
    """

    def __init__(
        self,
        encode: Callable[[_Pixels], _Vectors],
        *,
        max_rows: int,
        wait_s: float = 0.003,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        self._encode = encode
        self._max_rows = max_rows
        self._wait_s = wait_s
        self._on_batch = on_batch
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._carried: _Item | None = None
        self._thread = threading.Thread(target=self._serve, name="encode", daemon=True)
        self._thread.start()

    def submit(self, pixels: _Pixels) -> Future[_Vectors]:
        """Ask for the vectors of [B, H, W, 3]; a caller that loses interest cancels the future."""
        future: Future[_Vectors] = Future()
        self._queue.put((pixels, future))
        return future

    def close(self) -> None:
        """Finish what was submitted and stop the thread."""
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while batch := self._gather():
            wanted = [item for item in batch if item[1].set_running_or_notify_cancel()]
            if wanted:
                self._answer(wanted)

    def _gather(self) -> list[_Item]:
        """The next items to encode together; empty at the end."""
        first = self._carried or self._queue.get()
        self._carried = None
        if first is None:
            return []
        batch, rows = [first], len(first[0])
        end = time.monotonic() + self._wait_s
        while rows < self._max_rows and (item := self._next_until(end)):
            if rows + len(item[0]) > self._max_rows:
                self._carried = item
                break
            batch.append(item)
            rows += len(item[0])
        return batch

    def _next_until(self, end: float) -> _Item | None:
        try:
            item = self._queue.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            return None
        if item is None:
            self._queue.put(None)  # the end is for the next round
        return item

    def _answer(self, batch: list[_Item]) -> None:
        try:
            pixels = np.concatenate([item[0] for item in batch]) if len(batch) > 1 else batch[0][0]
            if self._on_batch is not None:
                self._on_batch(len(pixels))
            vectors = self._encode(pixels)
        except BaseException as error:  # whoever waits has to hear of it
            for _, future in batch:
                future.set_exception(error)
            return
        begin = 0
        for part, future in batch:
            future.set_result(vectors[begin : begin + len(part)])
            begin += len(part)


class BatchingEncoder:
    """An encoder's ground side whose forward passes are shared between threads."""

    def __init__(self, encoder: QueryEncoder, batcher: MicroBatcher) -> None:
        self.name: str = encoder.name
        self.digest: str = encoder.digest
        self.dim: int = encoder.dim
        self.numbers: str = encoder.numbers
        self.inputs: InputSpec = encoder.inputs
        self._batcher = batcher

    def encode_ground(self, pixels: _Pixels) -> _Vectors:
        """uint8 [B, H, W, 3] -> unit vectors [B, D]; blocks until the batch that holds these rows is done."""
        return self._batcher.submit(pixels).result()
