"""Bounds the memory that decoding takes, whatever the number of workers: only so many pixels are decoded at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["PixelBudget"]


class PixelBudget:
    """Pixels that may be held at once. One picture larger than all of it goes alone.

    Example:
        >>> budget = PixelBudget(1_000_000)
        >>> with budget.hold(800_000):
        ...     pass
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._held = 0
        self._freed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until `pixels` fit beside what is held, and hold them for the block."""
        with self._freed:
            self._freed.wait_for(lambda: self._held == 0 or self._held + pixels <= self._pixels)
            self._held += pixels
        try:
            yield
        finally:
            with self._freed:
                self._held -= pixels
                self._freed.notify_all()
