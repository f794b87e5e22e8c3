"""The directory of a PMTiles archive: which tile lies where. Nothing is allocated because a file says so."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM

__all__ = ["ReadBytes", "first_key", "read_directory", "tile_ids"]

_MAX_DEPTH = 4
_LARGEST_DIRECTORY_BYTES = 16 << 20
_MOST_ENTRIES = 50_000_000
_MOST_TILES = 50_000_000
_MOST_ALIKE, _MOST_A_RUN = 300_000, 100
"""Tiles in all beyond which runs must be this short on average: a few bytes may not claim the sea of a whole planet."""

_Ints = NDArray[np.int64]
ReadBytes = Callable[[int, int], bytes]
"""(offset, length) -> so many bytes, or fewer at the end."""


def first_key(zoom: int) -> int:
    """Archive id of the first tile of a zoom: the tiles of all lower zooms come before."""
    return ((1 << (2 * zoom)) - 1) // 3


def read_directory(read: ReadBytes, file_bytes: int, header: Mapping[str, Any]) -> _Ints:
    """[N, 4] (archive tile id, run, offset, length) of the root directory and of all below it.

    Args:
        read: gives some bytes of the archive, from an offset.
        file_bytes: its size.
        header: as the library reads it.

    Raises:
        BadSource: a directory lies beyond the end, is absurdly large, or is reached twice.
        Exception: whatever the library makes of damaged bytes.
    """
    parts: list[_Ints] = []
    waiting = [(int(header["root_offset"]), int(header["root_length"]), 0)]
    seen: set[int] = set()
    count = 0
    while waiting:
        offset, length, depth = waiting.pop()
        if depth > _MAX_DEPTH or offset in seen:
            raise BadSource("leads back to itself or is nested too deep; is the archive damaged?")
        seen.add(offset)
        table = _one_directory(read, offset, length, file_bytes, header["internal_compression"].name)
        count += len(table)
        if count > _MOST_ENTRIES:
            raise BadSource(f"has more than {_MOST_ENTRIES:,} entries; make archives of parts of it")
        leaves = table[table[:, 1] == 0]
        parts.append(table[table[:, 1] > 0])
        start = int(header["leaf_directory_offset"])
        waiting += [(start + int(at), int(size), depth + 1) for at, size in leaves[:, 2:].tolist()]
    return np.concatenate(parts)


def tile_ids(rows: _Ints, max_zoom: int, zooms: Sequence[int] | None) -> tuple[_Ints, _Ints, _Ints]:
    """(archive tile id, offset, length) of every tile, ascending: runs of equal tiles drawn apart.

    Args:
        rows: [N, 4] (archive tile id, run, offset, length).
        max_zoom: the deepest zoom that the header gives.
        zooms: those that are wanted; None for all.

    Raises:
        BadSource: a run reaches beyond the deepest zoom, or there are more tiles than can be indexed at once.
    """
    starts, stops = rows[:, 0], rows[:, 0] + rows[:, 1]
    if (starts < 0).any() or (stops < starts).any():
        raise BadSource("holds numbers beyond 63 bits; is the archive damaged?")
    deepest = MAX_ZOOM if max_zoom > MAX_ZOOM else max_zoom
    if zooms is not None:
        first, behind = (np.array([[first_key(zoom + next_)] for zoom in zooms], np.int64) for next_ in (0, 1))
        starts, stops = np.maximum(starts, first).ravel(), np.minimum(stops, behind).ravel()
        rows = np.tile(rows, (len(zooms), 1))
    elif (stops > first_key(deepest + 1)).any():
        worst = int(np.argmax(stops))
        raise BadSource(
            f"has a run of {int(rows[worst, 1]):,} tiles from number {int(rows[worst, 0]):,}, beyond zoom {deepest}, "
            "the deepest that the header gives; give --zoom to index one zoom whatever the header says, or write the "
            "archive again"
        )
    runs = np.maximum(stops - starts, 0)
    total = sum(runs.tolist())
    most = min(_MOST_TILES, _MOST_ALIKE + _MOST_A_RUN * len(rows))
    if total > most:
        raise BadSource(
            f"claims {total:,} tiles in {len(rows):,} runs of equal ones; at most {most:,} can be indexed at once, so "
            "choose a lower --zoom or an extract"
        )
    keys = np.repeat(starts, runs) + np.arange(total) - np.repeat(np.cumsum(runs) - runs, runs)
    order = np.argsort(keys, kind="stable")
    return keys[order], np.repeat(rows[:, 2], runs)[order], np.repeat(rows[:, 3], runs)[order]


def _one_directory(read: ReadBytes, offset: int, length: int, file_bytes: int, compression: str) -> _Ints:
    from pmtiles.tile import deserialize_directory

    if not 0 <= offset <= offset + length <= file_bytes:
        raise BadSource(
            f"has a part at {offset:,} of {length:,} bytes, beyond its end at {file_bytes:,}; is it complete?"
        )
    if length > _LARGEST_DIRECTORY_BYTES:
        raise BadSource(f"has a part of {length:,} bytes; at most {_LARGEST_DIRECTORY_BYTES:,} are read")
    data = read(offset, length)
    if compression != "NONE":
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            data = file.read(_LARGEST_DIRECTORY_BYTES + 1)
        if len(data) > _LARGEST_DIRECTORY_BYTES:
            raise BadSource(f"unpacks to a part of more than {_LARGEST_DIRECTORY_BYTES:,} bytes; is it damaged?")
    entries = deserialize_directory(gzip.compress(data, compresslevel=0))  # the library always decompresses
    rows = [(entry.tile_id, entry.run_length, entry.offset, entry.length) for entry in entries]
    return np.array(rows, np.int64).reshape(-1, 4)
