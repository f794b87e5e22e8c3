"""Notices that the files of an opened index were written to, before a search reads what is no longer there.

The vectors are memory-mapped: a file that is cut shorter under a running service would end the process at the next
read. So each file is held by a read lease, where the system grants one: whoever opens it for writing, or cuts it, waits
until the lease is given up, and that is when nobody reads any more. Where there are no leases, files are compared with
how they were before each batch. A file that is replaced by another of its name is no harm, since the old one stays for
as long as it is open.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from indexer.common.errors import IndexDamaged

__all__ = ["IndexGuard"]

logger = logging.getLogger(__name__)

_EVERY_S = 0.1
"""In which a writer is noticed; the kernel has him wait for up to 45 seconds (`fs.lease-break-time`)."""


@dataclass
class _File:
    """One file, as it was when the index was opened.

    Attributes:
        path: for messages.
        number: the open file's.
        state: size and time of its last change.
        leased: whether a writer has to wait for us.
    """

    path: Path
    number: int
    state: tuple[int, int]
    leased: bool


class IndexGuard:
    """Keeps the files of an index open and, where it can, as they are.

    Example:
        >>> guard = IndexGuard(Path("my-index"))  # doctest: +SKIP
        >>> with guard.reading():  # doctest: +SKIP
        ...     index.search(vectors, top_k=5)
    """

    def __init__(self, folder: Path | None) -> None:
        """Take note of every file in the folder, but of what a change of the index is still writing there.

        An index without a folder, in a database, has no file that could be cut.

        Raises:
            IndexDamaged: one cannot be opened.
        """
        self._files: list[_File] = []
        self._changed: Path | None = None
        self._readers = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        for path in [] if folder is None else _files_of(folder):
            try:
                number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                self.close()
                raise IndexDamaged(f"{path} cannot be opened: {error.strerror}; check who may read it") from error
            self._files.append(_File(path, number, _state(number), _lease(number)))
        if any(file.leased for file in self._files):
            threading.Thread(target=self._watch, name="index-guard", daemon=True).start()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While the block runs no file can be cut, where there are leases.

        Raises:
            IndexDamaged: one was written to or cut, or is about to be.
        """
        with self._lock:
            self._require()
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1

    def require(self) -> None:
        """Whether the files are as they were.

        Raises:
            IndexDamaged: one was written to or cut, or is about to be.
        """
        with self._lock:
            self._require()

    def close(self) -> None:
        """Let go of the files."""
        self._closed.set()
        with self._lock:
            for file in self._files:
                with suppress(OSError):
                    os.close(file.number)
            self._files = []

    def _require(self) -> None:
        for file in self._files:
            if self._changed is None and (_is_wanted(file) or _state(file.number) != file.state):
                self._changed = file.path
        if self._changed is not None:
            raise IndexDamaged(
                f"{self._changed} was changed under the running service; restore it and send SIGHUP, or restart; "
                "replace an index by renaming a whole new folder into its place"
            )

    def _watch(self) -> None:
        """Let a writer have his way, once nobody reads."""
        while not self._closed.wait(_EVERY_S):
            with self._lock:
                for file in self._files:
                    if _is_wanted(file):
                        self._changed = self._changed or file.path
                        if not self._readers:
                            logger.error("%s is being written to: the index is not searched any more", file.path)
                            _give_up(file)


def _lease(number: int) -> bool:
    """Ask for a read lease; no where the system, the file system or the file's owner allow none."""
    try:
        fcntl.fcntl(number, fcntl.F_SETSIG, signal.SIGURG)  # a signal that does nothing, instead of one that ends us
        fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except (AttributeError, OSError):
        return False
    return True


def _is_wanted(file: _File) -> bool:
    """Whether a writer waits for the lease, or the kernel has taken it away."""
    return file.leased and fcntl.fcntl(file.number, fcntl.F_GETLEASE) == fcntl.F_UNLCK


def _give_up(file: _File) -> None:
    with suppress(OSError):
        fcntl.fcntl(file.number, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    file.leased = False


def _files_of(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.is_file() and not _hidden(one, folder))


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _state(number: int) -> tuple[int, int]:
    status = os.fstat(number)
    return status.st_size, status.st_mtime_ns
