"""A fixed number of threads that work on requests, and a bounded line before them.

A request that finds the line full is refused at once. One whose client left, or whose time ran out, is dropped
before the next step of work. The event loop only waits.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from service.errors import Abandoned, DeadlineExceeded, Overloaded

__all__ = ["LineObserver", "Patience", "WorkerPool"]

_T = TypeVar("_T")
_FIRST_GUESS_S = 0.1
_LONGEST_RETRY_S = 60


class LineObserver(Protocol):
    """Who wants to know how the line moves."""

    def waiting(self, count: int) -> None:
        """`count` requests wait or are worked on."""

    def waited(self, seconds: float) -> None:
        """A request began after this wait."""


class Patience:
    """How long a piece of work is still wanted; shared between the waiting side and the working side."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        """Say that nobody waits any more."""
        self._abandoned.set()

    def check(self) -> None:
        """Raise if the work is no longer wanted.

        Raises:
            Abandoned: nobody waits.
            DeadlineExceeded: the time is over.
        """
        if self._abandoned.is_set():
            raise Abandoned("the client left before the answer was ready")
        if time.monotonic() > self._end:
            raise DeadlineExceeded(f"no answer within {self._seconds:g} s, the service is busy; try again later")


class WorkerPool:
    """Runs blocking work in threads, at most `threads` at once and `queue_limit` in line.

    Example:
        >>> pool = WorkerPool(threads=2, queue_limit=32, deadline_s=30.0)
        >>> asyncio.run(pool.run(lambda check: 6 * 7))
        42
        >>> pool.close()
    """

    def __init__(
        self, *, threads: int, queue_limit: int, deadline_s: float, observer: LineObserver | None = None
    ) -> None:
        self._threads = threads
        self._limit = threads + queue_limit
        self._deadline_s = deadline_s
        self._observer = observer
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="localize")
        self._lock = threading.Lock()
        self._pending = 0
        self._typical_s = _FIRST_GUESS_S

    async def run(self, work: Callable[[Callable[[], None]], _T]) -> _T:
        """Call `work(check)` in a thread and wait for what it returns; `check()` raises once the work is unwanted.

        Raises:
            Overloaded: the line is full.
            DeadlineExceeded: the work's turn came too late.
        """
        self._enter()
        patience = Patience(self._deadline_s)
        try:
            future = self._executor.submit(self._work, work, patience, time.monotonic())
        except BaseException:
            self._leave()
            raise
        # Shielded: a cancelled future would leave the line without giving its place back.
        waiting = asyncio.wrap_future(future)
        waiting.add_done_callback(_look_at_result)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            patience.abandon()
            raise

    def close(self) -> None:
        """Finish what is begun and stop the threads."""
        self._executor.shutdown(wait=True)

    def _work(self, work: Callable[[Callable[[], None]], _T], patience: Patience, entered: float) -> _T:
        begin = time.monotonic()
        try:
            if self._observer is not None:
                self._observer.waited(begin - entered)
            patience.check()
            return work(patience.check)
        finally:
            self._leave(time.monotonic() - begin)

    def _enter(self) -> None:
        with self._lock:
            if self._pending >= self._limit:
                raise Overloaded(
                    f"{self._pending} requests are being worked on or wait, which is the limit; try again later",
                    retry_after_s=self._retry_after_s(),
                )
            self._pending += 1
            self._tell()

    def _leave(self, took_s: float | None = None) -> None:
        with self._lock:
            self._pending -= 1
            if took_s is not None:
                self._typical_s += 0.1 * (took_s - self._typical_s)
            self._tell()

    def _tell(self) -> None:
        if self._observer is not None:
            self._observer.waiting(self._pending)

    def _retry_after_s(self) -> int:
        """Whole seconds until the present line is likely worked off."""
        return min(_LONGEST_RETRY_S, max(1, math.ceil(self._typical_s * self._pending / self._threads)))


def _look_at_result(future: asyncio.Future[_T]) -> None:
    """Retrieve the error of work whose client left, so that it is not reported as forgotten."""
    if not future.cancelled():
        future.exception()
