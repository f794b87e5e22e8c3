"""Tiles are read and decoded ahead of the encoder, a bounded number of them, in a fixed order.

Threads read. They decode as well, or hand what they read to processes: Python runs one thread at a time, so threads
share one processor in all that is not inside a decoder. Where each tile is a file of its own, processes read, too.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from indexer.building.decode_processes import GROUP, DecodeProcesses
from indexer.building.decode_worker import DecodedGroup
from indexer.building.decoding import Decoded, TileRow, decode_tile, read_tile, rows_of
from indexer.building.specs import BuildSpec
from indexer.building.stages import StageClock
from indexer.tiles.sources.source import HasFiles, TileSource
from indexer.tiles.tile_table import TileTable
from model.inputs.transforms import InputSpec

__all__ = ["DecodeAhead", "decode_for", "takes_processes"]

_SPARE_READERS = 2
"""Threads that read for processes, beyond one for each."""
_WORTH_PROCESSES = 2_000
"""Tiles from which on processes pay for their start."""
_BATCHES_AHEAD = 4


class DecodeAhead:
    """Reads and decodes tiles, a bounded number ahead of the reader, in the order asked for.

    Use as a context manager.

    Args:
        source: where the tiles come from.
        tiles: the plan.
        spec: the encoder's input.
        threads: how many decode; where there are processes, how many of those.
        ahead: tiles that are decoded at most before they are asked for.
        value_bits: how many bits 16-bit pictures of the source use, where it is known.
        processes: whether processes decode what the source gives encoded.
        clock: told what reading and decoding take.
    """

    def __init__(
        self,
        source: TileSource,
        tiles: TileTable,
        spec: InputSpec,
        *,
        threads: int,
        ahead: int,
        value_bits: int | None = None,
        processes: bool = False,
        clock: StageClock | None = None,
    ) -> None:
        self._source, self._tiles = source, tiles
        self._spec, self._value_bits = spec, value_bits
        self._clock = clock or StageClock()
        self._clock.workers = threads
        self._jobs_ahead = max(threads + 1, -(-ahead // GROUP))
        self._open = ExitStack()
        slots = self._jobs_ahead + 2  # a group more is being read, and one being started
        self._processes: DecodeProcesses | None = None
        self._they_read = processes and isinstance(source, HasFiles)
        if processes:
            root = source.files_root if isinstance(source, HasFiles) else Path()
            self._processes = self._open.enter_context(DecodeProcesses(threads, slots, spec, value_bits, root=root))
        readers = threads + _SPARE_READERS if processes else threads
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="decode")

    def __enter__(self) -> DecodeAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._open.close()

    def stream(self, rows: Sequence[int]) -> Iterator[Decoded]:
        """Each row's tile, in order.

        Raises:
            BadSource: a picture of a grid tile is not square.
            DecoderGone: a process died.
        """
        waiting: deque[Callable[[], DecodedGroup]] = deque()
        for number, start in enumerate(range(0, len(rows), GROUP)):
            waiting.append(self._start(number, rows[start : start + GROUP]))
            if len(waiting) > self._jobs_ahead:
                yield from self._timed(waiting.popleft())
        while waiting:
            yield from self._timed(waiting.popleft())

    def _timed(self, wait: Callable[[], DecodedGroup]) -> list[Decoded]:
        group = wait()
        self._clock.add("reading", group.reading_s)
        self._clock.add("decoding", group.decoding_s)
        return group.tiles

    def _start(self, number: int, rows: Sequence[int]) -> Callable[[], DecodedGroup]:
        if self._processes is not None and self._they_read:
            return self._processes.start(number % self._processes.slots, rows_of(self._tiles, rows))
        return self._pool.submit(self._group, number, rows).result

    def _group(self, number: int, rows: Sequence[int]) -> DecodedGroup:
        began = time.perf_counter()
        records = [self._tiles.record(row) for row in rows]
        pictures = [read_tile(self._source, record, row) for record, row in zip(records, rows, strict=True)]
        reading_s = time.perf_counter() - began
        done: dict[int, Decoded] = {}
        sent: dict[TileRow, bytes] = {}
        began = time.perf_counter()
        for record, picture, row in zip(records, pictures, rows, strict=True):
            tile = TileRow(row, record.tile_id, record.source, record.z is not None)
            if isinstance(picture, Decoded):
                done[row] = picture
            elif isinstance(picture, bytes) and self._processes is not None:
                sent[tile] = picture
            else:
                done[row] = decode_tile(picture, tile, self._spec, self._value_bits)
        seconds = time.perf_counter() - began
        if sent and self._processes is not None:
            slot = number % self._processes.slots
            found = self._processes.start(slot, list(sent), list(sent.values()))()
            seconds += found.decoding_s
            done.update({one.row: one for one in found.tiles})
        return DecodedGroup([done[row] for row in rows], reading_s, seconds)


def takes_processes(spec: BuildSpec, count: int) -> bool:
    """Whether processes decode so many tiles."""
    worth = count >= _WORTH_PROCESSES and (os.cpu_count() or 1) > 1
    return spec.decode == "processes" or (spec.decode == "auto" and worth)


def decode_for(
    source: TileSource,
    tiles: TileTable,
    inputs: InputSpec,
    spec: BuildSpec,
    *,
    count: int,
    value_bits: int | None,
    clock: StageClock,
) -> DecodeAhead:
    """How a build decodes so many tiles."""
    processes = takes_processes(spec, count)
    ahead = _BATCHES_AHEAD * spec.batch_size
    return DecodeAhead(
        source,
        tiles,
        inputs,
        threads=spec.threads,
        ahead=ahead,
        value_bits=value_bits,
        processes=processes,
        clock=clock,
    )
