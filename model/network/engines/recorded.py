"""Forward passes on a CUDA device, recorded once for each size of a batch and replayed as a whole.

A small network's pass is hundreds of short kernels, and starting them one by one takes longer than they do: a recorded
graph is started at once (docs/engines.md has the measurement).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["RecordedPasses", "padded_size"]

_MOST = 128
"""Pictures in the largest batch that is recorded; in larger ones the kernels themselves take the time."""
_WARM_UPS = 3
"""Passes before one is recorded, in which libraries choose their kernels."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Recorded:
    """A graph, and where it reads pictures and leaves vectors."""

    graph: torch.cuda.CUDAGraph
    asked: Tensor
    vectors: Tensor


class RecordedPasses:
    """A forward pass [B, ...] -> [B, D] on one CUDA device, replayed where its size of batch has been recorded."""

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        """`forward` treats each picture by itself, moves nothing to or from the device, and keeps its weights."""
        self._forward = forward
        self._recorded: dict[int, _Recorded] = {}
        self._refused = False
        self._lock = threading.Lock()  # a graph has one place for pictures, and one for vectors

    @torch.inference_mode()
    def __call__(self, pictures: Tensor) -> Tensor:
        """Pictures [B, ...] on the device -> vectors [B, D] there; a batch is filled up to a power of two."""
        count, size = len(pictures), padded_size(len(pictures))
        if size == 0:
            return self._forward(pictures)
        with self._lock:
            if size not in self._recorded and not self._refused:
                self._record(size, pictures)
            recorded = self._recorded.get(size)
            if recorded is None:
                return self._forward(pictures)
            recorded.asked[:count].copy_(pictures)
            recorded.graph.replay()
            return recorded.vectors[:count].clone()

    def _record(self, size: int, pictures: Tensor) -> None:
        """Record a pass; where the device cannot, say so once and go on without."""
        try:
            self._recorded[size] = self._record_size(size, pictures)
        except RuntimeError as error:
            self._refused = True
            _log.warning(
                "%s cannot record a pass, so each is started kernel by kernel, which is slower: %s",
                pictures.device,
                error,
            )

    def _record_size(self, size: int, pictures: Tensor) -> _Recorded:
        asked = torch.empty_like(pictures[:1].expand(size, *pictures.shape[1:]), memory_format=torch.channels_last)
        asked.copy_(pictures[:1].expand_as(asked))
        present, side = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(present)
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                self._forward(asked)
        present.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            vectors = self._forward(asked)
        return _Recorded(graph, asked, vectors)


def padded_size(count: int) -> int:
    """The size of the recorded batch that holds `count` pictures: a power of two; 0 where none does."""
    size = 1 << max(0, count - 1).bit_length()
    return size if count > 0 and size <= _MOST else 0
