"""Large files proved whole a block at a time, when a block is first used, instead of all at once when they are opened.

Beside such a file lies another of its blocks' SHA-256 digests, 32 bytes each, whose own digest stands in the manifest.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import IndexDamaged
from model.common.counted import counted

__all__ = ["BLOCK_BYTES", "BackgroundCheck", "BlockCheck", "write_block_digests"]

logger = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 20
_DIGEST_BYTES = 32


def write_block_digests(path: Path, target: Path) -> None:
    """Write the digests of a file's blocks."""
    with path.open("rb") as file, target.open("wb") as digests:
        while block := file.read(BLOCK_BYTES):
            digests.write(hashlib.sha256(block).digest())


class BlockCheck:
    """Checks the blocks of one file, each once, from any thread.

    Raises:
        IndexDamaged: there are not as many digests as blocks.
    """

    def __init__(self, path: Path, digests: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDONLY)  # kept open: the path may come to name another file
        weakref.finalize(self, os.close, self._file)
        self._size = os.fstat(self._file).st_size
        self._digests = digests.read_bytes()
        count = -(-self._size // BLOCK_BYTES)
        if len(self._digests) != count * _DIGEST_BYTES:
            held = len(self._digests) // _DIGEST_BYTES
            raise IndexDamaged(
                f"{digests} holds {counted(held, 'digest')} for the {counted(count, 'block')} of {path.name}; "
                "rebuild the index"
            )
        self._right = np.zeros(count, np.bool_)

    @property
    def complete(self) -> bool:
        """Whether every block has been found right."""
        return bool(self._right.all())

    def require(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        """Make sure that some runs of bytes are what was written.

        Args:
            starts: first byte of each run.
            stops: byte behind the last of each.

        Raises:
            IndexDamaged: a block is not.
        """
        if self.complete:
            return
        wanted = np.zeros(len(self._right) + 1, np.int64)
        np.add.at(wanted, starts // BLOCK_BYTES, 1)
        np.add.at(wanted, -(-stops // BLOCK_BYTES), -1)
        for block in np.flatnonzero((np.cumsum(wanted)[:-1] > 0) & ~self._right).tolist():
            self._check(block)

    def steps(self) -> Iterable[Callable[[], None]]:
        """The check of each block that has not been made."""
        for block in range(len(self._right)):
            if not self._right[block]:
                yield lambda block=block: self._check(block)  # type: ignore[misc]

    def _check(self, block: int) -> None:
        start = block * BLOCK_BYTES
        found = hashlib.sha256(self._read(start)).digest()
        if found != self._digests[block * _DIGEST_BYTES : (block + 1) * _DIGEST_BYTES]:
            raise IndexDamaged(
                f"{self._path} differs from what was written between byte {start:,} and "
                f"{min(start + BLOCK_BYTES, self._size):,}; restore it or rebuild the index"
            )
        self._right[block] = True

    def _read(self, start: int) -> bytes:
        """A block, read rather than mapped: what was only checked shall not count as memory of this process."""
        parts, stop = [], min(start + BLOCK_BYTES, self._size)
        try:
            while start < stop and (part := os.pread(self._file, stop - start, start)):
                parts.append(part)
                start += len(part)
        except OSError as error:
            raise IndexDamaged(f"{self._path} cannot be read ({error.strerror}); restore it or rebuild it") from error
        return b"".join(parts)


class BackgroundCheck:
    """Works through the checks of some files on a thread of its own; what it finds is raised at the next `require`.

    Args:
        files: the steps of each file's check, by its name, in the order of the work.
    """

    def __init__(self, files: Mapping[str, Iterable[Callable[[], None]]]) -> None:
        self._files = files
        self._checked = {name: threading.Event() for name in files}
        self._stopped = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="integrity", daemon=True)
        self._thread.start()

    def require(self, *names: str) -> None:
        """Raise what was found so far, and wait until some files are known to be whole.

        Raises:
            IndexDamaged: a file is not what was written.
        """
        for name in names:
            if name in self._checked:
                self._checked[name].wait()
        if self._failure is not None:
            raise IndexDamaged(str(self._failure)) from self._failure

    def wait(self) -> None:
        """Until all is checked, or something was found."""
        self._thread.join()

    def stop(self) -> None:
        """Give up, soon."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for name, steps in self._files.items():
                for step in steps:
                    if self._stopped.is_set():
                        raise IndexDamaged("the index was closed before all of its files were checked")
                    step()
                self._checked[name].set()
        except Exception as error:
            logger.log(logging.DEBUG if self._stopped.is_set() else logging.ERROR, "%s", error)
            self._failure = error
        finally:
            for checked in self._checked.values():  # nobody waits for what is not going to come
                checked.set()
