"""Decoding in processes: names of files or encoded pictures go out, pixels come back through memory that all see.

The memory is a ring of slots, each for a group of tiles, so it is bounded and nothing is copied on the way. A process
ends by itself when the one that started it is gone, however that ended.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from indexer.building import decode_worker
from indexer.building.decode_worker import DecodedGroup, DecodeJob, as_pixels, decode_group
from indexer.building.decoding import Decoded, TileRow
from indexer.common.errors import DecoderGone
from model.inputs.transforms import InputSpec

__all__ = ["GROUP", "DecodeProcesses"]

GROUP = 32
"""Tiles in one job; a job each costs more than it gains."""
_PRELOADED = (decode_worker.__name__, "model.common.ready_decoders")
"""What all processes need is imported once, and they start in milliseconds."""


class DecodeProcesses:
    """Processes that decode groups of pictures into slots of shared memory. Use as a context manager.

    Args:
        processes: how many.
        slots: groups that may be under way or unread at once.
        spec: the encoder's input.
        value_bits: how many bits 16-bit pictures of the source use, where it is known.
        root: folder that the names of files start from.
    """

    def __init__(
        self, processes: int, slots: int, spec: InputSpec, value_bits: int | None, *, root: Path = Path()
    ) -> None:
        self.slots, self.processes = slots, processes
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_PRELOADED))
        job = DecodeJob((slots, GROUP, spec.satellite_px, spec.satellite_px, 3), spec, value_bits, root)
        shared = context.RawArray("B", int(np.prod(job.shape)))
        self._pixels = as_pixels(shared, job.shape)
        self._pool = ProcessPoolExecutor(
            processes, mp_context=context, initializer=decode_worker.set_up, initargs=(shared, job)
        )

    def __enter__(self) -> DecodeProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def start(
        self, slot: int, tiles: Sequence[TileRow], pictures: Sequence[bytes] | None = None
    ) -> Callable[[], DecodedGroup]:
        """Let up to `GROUP` tiles be decoded; their pixels are true until the slot is given again.

        Args:
            slot: where their pixels go.
            tiles: which.
            pictures: theirs; None lets the processes read the files of the tiles.

        Returns:
            What waits until it is done.

        Raises:
            BadSource: when waited for, the picture of a grid tile is not square.
            DecoderGone: a process died.
        """
        with _death_named():
            future = self._pool.submit(decode_group, slot, tiles, pictures)

        def wait() -> DecodedGroup:
            with _death_named():
                found, *seconds = future.result()
            return DecodedGroup([self._seen(one, slot, place) for place, one in enumerate(found)], *seconds)

        return wait

    def _seen(self, tile: Decoded, slot: int, place: int) -> Decoded:
        return Decoded(tile.row, self._pixels[slot, place], *tile[2:]) if tile.size else tile


@contextmanager
def _death_named() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool:
        raise DecoderGone(
            "a process that decodes tiles died: out of memory, killed, or started from a script without "
            'if __name__ == "__main__":; what is done is kept. Repeat the command, with --decode threads if it '
            "happens again"
        ) from None
