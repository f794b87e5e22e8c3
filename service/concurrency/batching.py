"""Batches that form by themselves: whatever came in while the last batch was worked on is the next one.

One thread works. With nothing else in flight an item is worked on at once and alone. Where more items wait for the
step before than that step can take at once, a batch waits for them, for at most as long as the last batch took: the
cores have work meanwhile, and a longer batch costs less an item.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Generic, TypeVar

__all__ = ["Batcher"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Entry = tuple[_Item, Future[_Result]]

_LOOK_S = 0.005
"""How often it is asked whether more are still on their way."""
_LONGEST_S = 0.25
"""That a batch waits, however long the last one took."""


def _never() -> bool:
    return False


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
        crowded: Callable[[], bool] = _never,
    ) -> None:
        """Start the thread.

        Args:
            work: items -> the number of each and its result or error, in any order.
            max_items: the longest batch.
            on_batch: told the length of each.
            crowded: whether items wait for the step before; asked from another thread.
        """
        self._work = work
        self.max_items = max_items
        self._on_batch = on_batch
        self._crowded = crowded
        self._last_s = 0.0
        self._queue: queue.SimpleQueue[_Entry[_Item, _Result] | None] = queue.SimpleQueue()
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

    def _gather(self) -> tuple[list[_Entry[_Item, _Result]], bool]:
        """What waits and is still wanted, and whether more will come."""
        batch: list[_Entry[_Item, _Result]] = []
        entry = self._queue.get()
        latest = time.monotonic() + self._last_s
        while entry is not None:
            if not entry[1].cancelled():
                batch.append(entry)
            if len(batch) >= self.max_items:
                return batch, True
            try:
                entry = self._next(latest)
            except queue.Empty:
                return batch, True
        return batch, False

    def _next(self, latest: float) -> _Entry[_Item, _Result] | None:
        """The next item, waited for until then where more are on their way.

        Raises:
            Empty: there is none.
        """
        while True:
            try:
                return self._queue.get_nowait()
            except queue.Empty:
                left_s = latest - time.monotonic()
                if left_s <= 0.0 or not self._crowded():
                    raise
            with suppress(queue.Empty):
                return self._queue.get(timeout=min(left_s, _LOOK_S))

    def _answer(self, batch: list[_Entry[_Item, _Result]]) -> None:
        if self._on_batch is not None:
            self._on_batch(len(batch))
        began = time.monotonic()
        try:
            for number, result in self._work([item for item, _ in batch]):
                _settle(batch[number][1], result)
        except BaseException as error:  # whoever waits has to hear of it
            for _, future in batch:
                _settle(future, error)
        self._last_s = min(time.monotonic() - began, _LONGEST_S)


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
