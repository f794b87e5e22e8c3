"""Reads the files of tiles in the order asked for: one after another, or by threads ahead where a disk is slow.

A file that lies in memory is read in microseconds, and handing it from thread to thread costs more than that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from indexer.building.decoding import Decoded, TileRow
from indexer.tiles.sources.source import read_picture
from model.common.errors import BadImage

__all__ = ["PictureFiles"]

_SLOW_S = 1e-4
"""What reading a file of a tile takes at least where it does not lie in memory."""
_SLOW_SHARE = 0.25
"""Share of slow reads from which on threads read: a process that has to wait for a processor is slow once a group."""
_READERS = 4


class PictureFiles:
    """The files of a source below one folder.

    Args:
        root: folder that the names of files start from.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads: ThreadPoolExecutor | None = None

    def read(self, tiles: Sequence[TileRow]) -> Iterator[tuple[bytes | Decoded, float]]:
        """Each tile's picture, or why there is none; and the seconds that it took."""
        if self._threads is not None:
            yield from self._threads.map(self._timed, tiles)
            return
        slow = 0
        for tile in tiles:
            picture, seconds = self._timed(tile)
            slow += seconds > _SLOW_S
            yield picture, seconds
        if slow > _SLOW_SHARE * len(tiles):
            self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="read")

    def _timed(self, tile: TileRow) -> tuple[bytes | Decoded, float]:
        began = time.perf_counter()
        try:
            picture: bytes | Decoded = read_picture(self._root, tile.source)
        except (BadImage, OSError) as error:
            picture = Decoded(tile.row, None, reason=f"{tile.source}: {error}")
        return picture, time.perf_counter() - began
