"""The bounded line of requests: one that finds it full is refused at once, and none waits beyond the deadline.

The event loop only waits. At the deadline, or when the client leaves, what works on the request is cancelled: its
decoding process is killed, its place in a batch given up.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from model.common.counted import counted
from service.errors import DeadlineExceeded, Overloaded

__all__ = ["Line", "LineObserver"]

_T = TypeVar("_T")
_FIRST_GUESS_S = 0.1
_LONGEST_RETRY_S = 60


class LineObserver(Protocol):
    """Who wants to know how the line moves."""

    def waiting(self, count: int) -> None:
        """`count` requests wait or are worked on."""


class Line:
    """At most `limit` requests at once, each for at most `deadline_s`.

    Attributes:
        limit: requests that it takes.

    Example:
        >>> async def answer() -> int:
        ...     return 42
        >>> asyncio.run(Line(limit=32, deadline_s=30.0).run(answer()))
        42
    """

    def __init__(self, *, limit: int, deadline_s: float, observer: LineObserver | None = None) -> None:
        self.limit = limit
        self._deadline_s = deadline_s
        self._observer = observer
        self._pending = 0
        self._per_answer_s = _FIRST_GUESS_S
        self._last_answer = 0.0

    async def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Await `work` in the line.

        Raises:
            Overloaded: the line is full.
            DeadlineExceeded: the work took too long.
        """
        if self._pending >= self.limit:
            work.close()
            asked = counted(self._pending, "request", "waits or is", "wait or are")
            raise Overloaded(
                f"{asked} worked on, which is the limit; try again later",
                retry_after_s=self._retry_after_s(),
            )
        self._move(1)
        try:
            async with asyncio.timeout(self._deadline_s) as clock:
                result = await work
            self._note_answer()
            return result
        except TimeoutError:
            if not clock.expired():
                raise
            late = f"no answer within {self._deadline_s:g} s, the service is busy; try again later"
            raise DeadlineExceeded(late) from None
        finally:
            self._move(-1)

    def _move(self, step: int) -> None:
        self._pending += step
        if self._observer is not None:
            self._observer.waiting(self._pending)

    def _note_answer(self) -> None:
        """Keep the usual time between two answers under load, which is what a line is worked off by."""
        now = time.monotonic()
        if self._pending > 1:
            self._per_answer_s += 0.1 * (min(now - self._last_answer, self._deadline_s) - self._per_answer_s)
        self._last_answer = now

    def _retry_after_s(self) -> int:
        """Whole seconds until the present line is likely worked off."""
        return min(_LONGEST_RETRY_S, max(1, math.ceil(self._per_answer_s * self._pending)))
