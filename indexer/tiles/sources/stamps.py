"""What a tile was read from, as numbers that change when any of the files does: by size, time, and content.

The content of small sources counts whole, and of large ones on request. Else samples of it do: a file put in place of
another with its size and its time is noticed all the same.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from stat import S_ISREG
from typing import Protocol, runtime_checkable

import numpy as np

from indexer.common.errors import BuildConflict
from indexer.tiles.sources.virtual_members import files_behind, sidecars_of
from indexer.tiles.sources.virtual_names import is_virtual
from indexer.tiles.tile_table import TileTable

__all__ = [
    "CanGrow",
    "FileState",
    "HasMembers",
    "HasStates",
    "SourceFiles",
    "combined",
    "content_limit",
    "file_stamp",
    "raster_members",
    "state_of",
]

_WHOLE_BYTES = 64 << 20
"""Sources up to this size are read whole for their stamps."""
_SAMPLES, _SAMPLE_BYTES = 64, 4096
_PART_BYTES = 1 << 20
_BESIDE_DATABASE = ("-wal", "-journal")
_PACKED = (".zip", ".tar", ".tgz", ".gz")
_DEEPEST = 8
_MOST_SAMPLED = 1000
"""Files of which samples are read; of more, size and time must do."""

FileState = tuple[int, int, int, int]
"""Bytes, modification time in ns, and the time of its last change and its number, which no program sets back; zeros
where there is no file."""


@runtime_checkable
class HasMembers(Protocol):
    """A source whose tiles are read from more files than their column `source` names, and which stamps them itself."""

    def members(self) -> dict[Path, FileState]:
        """Every file that it reads, as it was when it was opened."""

    def stamped(self, tiles: TileTable, stamp_of: Callable[[Path], int]) -> TileTable:
        """Tiles of its own, each with a stamp of all that it is made of.

        Args:
            tiles: without stamps.
            stamp_of: of each of `members`.
        """


@runtime_checkable
class HasStates(Protocol):
    """A source that looked at every file when it was listed, so that nobody has to again."""

    def states(self) -> Mapping[str, FileState]:
        """Of each name in the column `source`."""


@runtime_checkable
class CanGrow(Protocol):
    """A source to which tiles can be added after it was listed, without a change of the files that were there."""

    def changes(self) -> list[str]:
        """What would make it list other tiles now, each as `a.tif was added`; a tile that changed is none."""


class SourceFiles:
    """The files behind the tiles of a source, as they are now.

    Args:
        root: folder that the names in the column `source` start from.
        tiles: the tiles.
        source: where they come from; a table of tiles alone names all files but those that come later.
    """

    def __init__(self, root: Path, tiles: TileTable, source: object = None) -> None:
        self._tiles = tiles
        self._source = source if isinstance(source, HasMembers) else None
        self._grows = source if isinstance(source, CanGrow) else None
        self._names = [] if self._source is not None else sorted(set(tiles.source.tolist()))
        self._states: dict[str, FileState]
        if self._source is not None:
            self._states = {str(path): state for path, state in self._source.members().items()}
        else:
            self._states = _states_of(self._names, root, source)
        self._stamps: dict[str, int] = {}
        self._limit = 0

    def stamped(self, *, whole: bool = False) -> TileTable:
        """The tiles, each with a stamp of its file; `whole` counts all content, however large the source is."""
        self._limit = content_limit(self._states.values(), len(self._names), whole=whole)
        self._stamps = {path: file_stamp(path, state, self._limit) for path, state in self._states.items()}
        if self._source is not None:
            return self._source.stamped(self._tiles, lambda path: self._stamps[str(path)])
        paths = list(self._states)
        beside = [self._stamps[path] for path in paths[len(self._names) :]]
        stamps = {name: combined([self._stamps[path], *beside]) for name, path in zip(self._names, paths, strict=False)}
        return replace(self._tiles, stamp=np.array([stamps[name] for name in self._tiles.source.tolist()], np.int64))

    def require_unchanged(self) -> None:
        """Make sure that no file has changed since, and none was added that would be read.

        Raises:
            BuildConflict: one has, or was.
        """
        found = [f"{path} changed" for path, state in self._states.items() if self._has_changed(path, state)]
        found = found or ([] if self._grows is None else self._grows.changes())
        if found:
            others = f" (one of {len(found):,} changes)" if len(found) > 1 else ""
            raise BuildConflict(
                f"{found[0]} while the tiles were being embedded{others}; nothing was published. Repeat the command "
                "when nothing writes there any more: it takes over the parts without a change, and wants --restart "
                "where there is none"
            )

    def _has_changed(self, path: str, before: FileState) -> bool:
        """A file put in place of another with its size and its time is told by its content, as it was stamped."""
        now = state_of(path)
        if now == before or now[:2] != before[:2]:
            return now != before
        known = self._stamps.get(path)
        return known is None or file_stamp(path, now, self._limit) != known


def _states_of(names: list[str], root: Path, source: object) -> dict[str, FileState]:
    """Every file that some names lead to, as it is or as the source saw it, and what lies beside a lone one."""
    paths = [os.path.join(root, name) for name in names]  # noqa: PTH118 (a Path each is slow)
    seen = source.states() if isinstance(source, HasStates) else {}
    states = {path: seen.get(name) or state_of(path) for name, path in zip(names, paths, strict=True)}
    beside = [f"{paths[0]}{suffix}" for suffix in _BESIDE_DATABASE] if len(paths) == 1 else []
    return states | {path: state_of(path) for path in beside}


def content_limit(states: Iterable[FileState], files: int, *, whole: bool) -> int:
    """`whole_bytes` of `file_stamp` for a source of some files, by the size of all that it is read from."""
    if whole:
        return sys.maxsize
    if sum(size for size, *_ in states) <= _WHOLE_BYTES:
        return _WHOLE_BYTES
    return int(files <= _MOST_SAMPLED)


def file_stamp(path: Path | str, state: FileState, whole_bytes: int) -> int:
    """A number for a file's size, time and content, 0 where there is none.

    Args:
        path: the file.
        state: its size and time; nothing else of it counts.
        whole_bytes: up to this size all of its content counts, beyond it samples; 0 takes none.
    """
    size, time_ns = state[:2]
    if not time_ns:
        return 0
    digest = hashlib.sha256(f"{size}:{time_ns}:".encode())
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # even for none of its content: a right to read counts, too
    except OSError:
        return int(size)
    try:
        if size <= whole_bytes:
            while part := os.read(file, min(size + 1, _PART_BYTES)):
                digest.update(part)
        elif whole_bytes:
            for start in np.linspace(0, max(0, size - _SAMPLE_BYTES), _SAMPLES).astype(np.int64).tolist():
                digest.update(os.pread(file, _SAMPLE_BYTES, start))
    except OSError:
        return int(size)
    finally:
        os.close(file)
    return _number(digest.digest())


def combined(stamps: Iterable[int | float]) -> int:
    """One number for several, in their order."""
    return _number(hashlib.sha256(repr(list(stamps)).encode()).digest())


def raster_members(path: Path, depth: int = 0) -> list[Path]:
    """A raster, its sidecars, and, of a virtual one, its members with theirs; those that do not exist too."""
    found = [path, *sidecars_of(path)]
    alone = depth >= _DEEPEST or not is_virtual(path)
    for file in files_behind(path):
        if file not in found:
            found += [file] if alone or file.suffix.lower() in _PACKED else raster_members(file, depth + 1)
    return list(dict.fromkeys(found))


def state_of(path: Path | str) -> FileState:
    """How a file is now, zeros where there is none, or none that can be read to an end."""
    try:
        stat = os.stat(path)  # noqa: PTH116 (a Path each is slow)
    except (OSError, ValueError):
        return 0, 0, 0, 0
    if not S_ISREG(stat.st_mode):
        return 0, 0, 0, 0
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "little", signed=True)
