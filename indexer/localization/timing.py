"""How long the steps of an answer take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.inputs.heading_search import TurnEncoder

__all__ = ["Stopwatch", "TimedEncoder"]


@dataclass
class Stopwatch:
    """Seconds of each step, added up."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("embed", "search"), 0.0))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what is done within."""
        begin = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - begin


class TimedEncoder:
    """An encoder whose passes are counted as `embed`."""

    def __init__(self, encoder: TurnEncoder, watch: Stopwatch) -> None:
        self._encoder, self._watch = encoder, watch

    @property
    def sweeps(self) -> bool:
        """As the encoder says."""
        return self._encoder.sweeps

    def encode_ground(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the encoder does."""
        with self._watch.step("embed"):
            return self._encoder.encode_ground(pixels)

    def encode_headings(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the encoder does."""
        with self._watch.step("embed"):
            return self._encoder.encode_headings(pixels)
