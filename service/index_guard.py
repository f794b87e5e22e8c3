"""Notices that the files of an opened index were written to, before a search reads what is no longer there.

The vectors are memory-mapped: a file that is cut shorter under a running service would end the process at the next
read. A file that is replaced by another of its name is no harm, since the old one stays for as long as it is open.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from indexer.common.errors import IndexDamaged

__all__ = ["IndexGuard"]


class IndexGuard:
    """Keeps the files of an index open, and knows how they were."""

    def __init__(self, folder: Path) -> None:
        """Take note of every file in the folder, but of what a change of the index is still writing there.

        Raises:
            IndexDamaged: one cannot be opened.
        """
        self._opened: list[tuple[Path, int, tuple[int, int]]] = []
        for path in sorted(one for one in folder.rglob("*") if one.is_file() and not _hidden(one, folder)):
            try:
                number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                self.close()
                raise IndexDamaged(f"{path} cannot be opened: {error.strerror}; check who may read it") from error
            self._opened.append((path, number, _state(number)))

    def require(self) -> None:
        """Make sure that the files are as they were.

        Raises:
            IndexDamaged: one was written to or cut.
        """
        for path, number, state in self._opened:
            if _state(number) != state:
                raise IndexDamaged(
                    f"{path} was changed under the running service; restore it and restart, and replace an index by "
                    "renaming a whole new folder into its place"
                )

    def close(self) -> None:
        """Let go of the files."""
        for _, number, _ in self._opened:
            with suppress(OSError):
                os.close(number)
        self._opened = []


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _state(number: int) -> tuple[int, int]:
    status = os.fstat(number)
    return status.st_size, status.st_mtime_ns
