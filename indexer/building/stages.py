"""How long each stage of a build takes, so that the slowest is seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

__all__ = ["BuildStages", "StageClock"]


@dataclass(frozen=True)
class BuildStages:
    """Seconds of each stage. Reading and decoding run side by side with the rest, on several workers.

    Attributes:
        wall: from the first tile to the last.
        reading: fetching pictures, all workers together.
        decoding: decoding and resizing them, all workers together.
        waiting: what the network waited for pictures.
        forward: the network.
        writing: what the network waited for finished parts to be written.
        workers: threads or processes that decode.
    """

    wall: float = 0.0
    reading: float = 0.0
    decoding: float = 0.0
    waiting: float = 0.0
    forward: float = 0.0
    writing: float = 0.0
    workers: int = 1

    @property
    def bottleneck(self) -> str:
        """What the rest waits for."""
        if self.waiting <= max(self.forward, self.writing):
            return "the network" if self.forward >= self.writing else "writing"
        return "reading" if self.reading > self.decoding else "decoding"

    @property
    def shares(self) -> str:
        """Where the time went, in a few words."""
        whole = max(self.wall, 1e-9)
        parts = {"network": self.forward, "waiting for tiles": self.waiting, "writing": self.writing}
        return ", ".join(f"{name} {seconds / whole:.0%}" for name, seconds in parts.items())

    def __str__(self) -> str:
        """The same in a line, with what runs beside."""
        beside = f"reading {self.reading:.1f} s and decoding {self.decoding:.1f} s, by {self.workers} beside it"
        return f"{self.shares} of {self.wall:.1f} s; {beside}; the slowest is {self.bottleneck}"


@dataclass
class StageClock:
    """Adds up seconds of stages; several threads may add at once."""

    workers: int = 1
    _seconds: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float = field(default_factory=time.perf_counter)

    def add(self, stage: str, seconds: float) -> None:
        """Add to a stage, named as in `BuildStages`."""
        with self._lock:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add what a block takes."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - began)

    def read(self) -> BuildStages:
        """What has been added up so far."""
        with self._lock:
            return BuildStages(**asdict(BuildStages()) | self._seconds | {
                "wall": time.perf_counter() - self._began, "workers": self.workers
            })  # fmt: skip
