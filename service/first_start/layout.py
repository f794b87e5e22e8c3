"""How the processors are shared: threads of a forward pass and photos in it, measured on this machine at a first start.

The passes come one after the other from one thread; the processors that they leave decode and answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.inputs.transforms import NEUTRAL, InputSpec

__all__ = ["best_batch", "best_threads", "threads_to_try"]

_ENOUGH = 0.95
"""Of the best rate: a smaller batch that reaches it keeps latency low."""
_WORTH = 1.25
"""Twice the threads are taken only where a pass is faster by so much; the others can decode."""
_PASSES = 5
"""Of which the fastest counts: what else the machine does makes a pass slower, never faster."""
_TOGETHER = 4
"""Photos in a pass while threads are chosen: what gathers under some load."""


class Embeds(Protocol):
    """Embeds panoramas."""

    @property
    def inputs(self) -> InputSpec:
        """Their size."""

    def encode_ground(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] -> float32 [B, D]."""


def threads_to_try(processors: int) -> list[int]:
    """1, 2, 4 and so on up to half of the processors, which is the last one."""
    most = max(1, processors // 2)
    return sorted({most, *(1 << power for power in range(most.bit_length()) if 1 << power <= most)})


def best_threads(load: Callable[[int], Embeds], processors: int) -> int:
    """The threads of a pass beyond which more gain too little.

    Args:
        load: an encoder with so many threads.
        processors: that this process may use.
    """
    first, *others = threads_to_try(processors)
    chosen, seconds = first, 0.0
    if others:
        seconds = _pass_s(load(first), _TOGETHER)
    for threads in others:
        more = _pass_s(load(threads), _TOGETHER)
        if seconds < _WORTH * more:
            break
        chosen, seconds = threads, more
    return chosen


def best_batch(encoder: Embeds, *, largest: int) -> int:
    """The smallest number of canvases that this machine embeds at nearly its best rate, measured now."""
    rates: dict[int, float] = {}
    rows = 1
    while rows <= largest:
        rates[rows] = rows / _pass_s(encoder, rows, passes=2)
        rows *= 2
    return min(rows for rows, rate in rates.items() if rate >= _ENOUGH * max(rates.values()))


def _pass_s(encoder: Embeds, rows: int, *, passes: int = _PASSES) -> float:
    """Seconds of a pass, the fastest of some after one that warms up."""
    width, height = encoder.inputs.ground_size_px
    canvases = np.full((rows, height, width, 3), NEUTRAL, np.uint8)
    encoder.encode_ground(canvases)
    seconds = []
    for _ in range(passes):
        began = time.perf_counter()
        encoder.encode_ground(canvases)
        seconds.append(time.perf_counter() - began)
    return min(seconds)
