"""Batches that form by themselves: whatever came in while the last batch was worked on is the next one.

One thread works. Nobody waits for company: with nothing else in flight a photo is worked on at once and alone, and
under load the batches grow as long as the line is, up to `max_items`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import Generic, TypeVar

__all__ = ["Batcher"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Batcher(Generic[_Item, _Result]):
    """One thread that runs `work` on what has gathered.

    Example:
        >>> batcher = Batcher(lambda items: ((number, 2 * item) for number, item in enumerate(items)), max_items=8)
        >>> batcher.submit(21).result()
        42
        >>> batcher.close()
    """

    def __init__(
        self,
        work: Callable[[Sequence[_Item]], Iterable[tuple[int, _Result | Exception]]],
        *,
        max_items: int,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        """Start the thread.

        Args:
            work: items -> the number of each and its result or error, in any order.
            max_items: the longest batch.
            on_batch: told the length of each.
        """
        self._work = work
        self.max_items = max_items
        self._on_batch = on_batch
        self._queue: queue.SimpleQueue[tuple[_Item, Future[_Result]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="answer", daemon=True)
        self._thread.start()

    def submit(self, item: _Item) -> Future[_Result]:
        """Ask for an item's result; a caller that loses interest cancels the future."""
        future: Future[_Result] = Future()
        self._queue.put((item, future))
        return future

    def close(self, timeout_s: float | None = None) -> None:
        """Finish what was submitted and stop the thread."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _serve(self) -> None:
        going = True
        while going:
            batch, going = self._gather()
            if batch:
                self._answer(batch)

    def _gather(self) -> tuple[list[tuple[_Item, Future[_Result]]], bool]:
        """What waits and is still wanted, and whether more will come."""
        batch: list[tuple[_Item, Future[_Result]]] = []
        entry = self._queue.get()
        while entry is not None:
            if not entry[1].cancelled():
                batch.append(entry)
            if len(batch) >= self.max_items:
                return batch, True
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _answer(self, batch: list[tuple[_Item, Future[_Result]]]) -> None:
        if self._on_batch is not None:
            self._on_batch(len(batch))
        try:
            for number, result in self._work([item for item, _ in batch]):
                _settle(batch[number][1], result)
        except BaseException as error:  # whoever waits has to hear of it
            for _, future in batch:
                _settle(future, error)


def _settle(future: Future[_Result], result: _Result | BaseException) -> None:
    """Hand over a result, unless the caller has left or has one."""
    if future.done():
        return
    try:
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
    except InvalidStateError:  # cancelled this very moment
        return
