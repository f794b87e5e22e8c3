"""Decoding in processes: encoded pictures go out, pixels come back through memory that all of them see.

The memory is a ring of slots, each for a group of tiles, so it is bounded and nothing is copied on the way. A process
ends by itself when the one that started it is gone, however that ended.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.building.decoding import Decoded, Pixels, decode_tile
from indexer.common.errors import DecoderGone
from indexer.tiles.tile_table import TileRecord
from model.common.image_formats import load_decoders
from model.common.worker_pool import end_with_parent
from model.inputs.transforms import InputSpec

__all__ = ["GROUP", "DecodeProcesses", "Encoded"]

GROUP = 32
"""Tiles in one job; a job each costs more than it gains."""


@dataclass(frozen=True)
class Encoded:
    """A picture on its way to a process: the file's bytes, and whose they are."""

    picture: bytes
    tile: TileRecord
    row: int


class DecodeProcesses:
    """Processes that decode groups of pictures into slots of shared memory. Use as a context manager.

    Args:
        processes: how many.
        slots: groups that may be under way or unread at once.
        spec: the encoder's input.
        value_bits: how many bits 16-bit pictures of the source use, where it is known.
    """

    def __init__(self, processes: int, slots: int, spec: InputSpec, value_bits: int | None) -> None:
        self.slots, self.processes = slots, processes
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])  # what all need is imported once, and they start in milliseconds
        shape = (slots, GROUP, spec.satellite_px, spec.satellite_px, 3)
        shared = context.RawArray("B", int(np.prod(shape)))
        self._pixels = _as_pixels(shared, shape)
        self._pool = ProcessPoolExecutor(
            processes, mp_context=context, initializer=_set_up, initargs=(shared, shape, spec, value_bits)
        )

    def __enter__(self) -> DecodeProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def decode(self, slot: int, pictures: Sequence[Encoded]) -> tuple[list[Decoded], float]:
        """Decode up to `GROUP` pictures; their pixels are true until the slot is given again. Seconds beside them.

        Raises:
            BadSource: the picture of a grid tile is not square.
            DecoderGone: a process died.
        """
        try:
            found, seconds = self._pool.submit(_decode_group, slot, pictures).result()
        except BrokenProcessPool:
            raise DecoderGone(
                "a process that decodes tiles died: out of memory, killed, or started from a script without "
                'if __name__ == "__main__":; what is done is kept. Repeat the command, with --decode threads if it '
                "happens again"
            ) from None
        return [
            replace(one, pixels=self._pixels[slot, place]) if one.size else one for place, one in enumerate(found)
        ], seconds


_mine: dict[str, Any] = {}


def _as_pixels(shared: Any, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.frombuffer(shared, np.uint8).reshape(shape)


def _set_up(shared: Any, shape: tuple[int, ...], spec: InputSpec, value_bits: int | None) -> None:
    """What a process does first."""
    end_with_parent()
    load_decoders()
    _mine.update(pixels=_as_pixels(shared, shape), spec=spec, value_bits=value_bits)


def _decode_group(slot: int, pictures: Sequence[Encoded]) -> tuple[list[Decoded], float]:
    began = time.perf_counter()
    found = []
    for place, one in enumerate(pictures):
        decoded = decode_tile(one.picture, one.tile, one.row, _mine["spec"], _mine["value_bits"])
        if decoded.pixels is not None:
            target: Pixels = _mine["pixels"][slot, place]
            target[:] = decoded.pixels
        found.append(replace(decoded, pixels=None))
    return found, time.perf_counter() - began
