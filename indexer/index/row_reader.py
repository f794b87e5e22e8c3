"""Single rows of a large file of vectors, read rather than mapped.

A row of a mapped file brings its neighbours into memory with it, sixteen pages for one, and they count as this
process's until the system takes them back: a thousand queries of a few hundred candidates make most of a large file
resident. And each mapped row waits for the disk alone, while here all of a query are asked for before one is read.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import IndexDamaged

__all__ = ["RowReader"]


class RowReader:
    """Rows of the matrix that a file holds behind its header. Thread-safe.

    Args:
        path: the file.
        header: bytes before the first row.
        dim: numbers of a row, of float16.
    """

    def __init__(self, path: Path, header: int, dim: int) -> None:
        self._path, self._header, self._dim = path, header, dim
        self._file = os.open(path, os.O_RDONLY)  # kept open: the path may come to name another file
        weakref.finalize(self, os.close, self._file)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_RANDOM)

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Rows int64 [R], ascending: float16 [R, D].

        Raises:
            IndexDamaged: the file cannot be read, or ends before a row.
        """
        width = 2 * self._dim
        found = np.empty((len(rows), self._dim), np.float16)
        into = found.view(np.uint8).reshape(-1).data
        begins = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        stops = np.append(begins, len(rows))[1:].tolist()
        runs = list(zip(begins.tolist(), stops, (self._header + rows[begins] * width).tolist(), strict=True))
        try:
            if hasattr(os, "posix_fadvise"):
                for begin, stop, start in runs:
                    os.posix_fadvise(self._file, start, (stop - begin) * width, os.POSIX_FADV_WILLNEED)
            for begin, stop, start in runs:
                self._fill(into[begin * width : stop * width], start)
        except OSError as error:
            raise IndexDamaged(f"{self._path} cannot be read ({error.strerror}); restore it or rebuild it") from error
        return found

    def _fill(self, into: memoryview, start: int) -> None:
        while len(into):
            count = os.preadv(self._file, [into], start)
            if not count:
                raise IndexDamaged(f"{self._path} ends at byte {start:,}, within its vectors; restore or rebuild it")
            into, start = into[count:], start + count
