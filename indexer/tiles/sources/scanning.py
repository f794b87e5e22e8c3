"""Find the pictures of a folder: every directory once, whatever links lead to it."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from indexer.tiles.sources.stamps import FileState
from model.common.images import IMAGE_SUFFIXES

__all__ = ["FoundPicture", "Scan", "files_below", "files_beside", "scan_pictures", "time_of"]


class FoundPicture(NamedTuple):
    """A file with a picture's suffix: its path below the folder, and how it is."""

    name: str
    state: FileState


@dataclass
class Scan:
    """What a folder holds.

    Attributes:
        pictures: sorted by name.
        again: directories that had been entered under another name before, which a link can bring about.
        unnamed: names that are no UTF-8 text, as far as they can be shown; an index cannot hold them. And of pipes.
        folders: every directory that was entered, by its path below the folder, and when an entry of it last came or
            went before it was read, in ns.
    """

    pictures: list[FoundPicture] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    folders: dict[str, int] = field(default_factory=dict)

    def still_holds(self, root: Path) -> bool:
        """Whether no name came into the folder, or went, since; a look at each directory, and at no file."""
        return all(time_of(root / prefix) == time_ns for prefix, time_ns in self.folders.items())


def scan_pictures(root: Path) -> Scan:
    """Every picture below a folder; hidden names are passed over, and links are followed after real directories.

    No link is followed to a folder above, which holds everything that lies beside this one.
    """
    found = Scan()
    seen = {_identity(folder.stat()) for folder in (root, *root.resolve().parents)}
    waiting, linked = [""], list[str]()
    while waiting or linked:
        prefix = waiting.pop() if waiting else linked.pop(0)
        if prefix and not _enter(root, prefix, seen, found):
            continue
        found.folders[prefix] = time_of(root / prefix)
        with os.scandir(root / prefix) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name, reverse=True):
                _sort_in(entry, prefix + entry.name, found, waiting, linked)
    found.pictures.sort()
    return found


def files_beside(root: Path, suffixes: Collection[str]) -> list[Path]:
    """The files directly in a folder that have one of some suffixes, in lower case, sorted."""
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if os.path.splitext(entry.name)[1].lower() in suffixes]  # noqa: PTH122
    return [path for path in (root / name for name in sorted(names)) if path.is_file()]


def files_below(root: Path, suffixes: Collection[str]) -> list[str]:
    """The files in the folders below one, links not followed, that have one of some suffixes, sorted."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if folder != str(root):
            place = Path(folder).relative_to(root)
            found += [str(place / name) for name in sorted(names) if Path(name).suffix.lower() in suffixes]
    return found


def _enter(root: Path, prefix: str, seen: set[tuple[int, int]], found: Scan) -> bool:
    identity = _identity((root / prefix).stat())
    if identity in seen:
        found.again.append(prefix.rstrip("/"))
        return False
    seen.add(identity)
    return True


def _sort_in(entry: os.DirEntry[str], name: str, found: Scan, waiting: list[str], linked: list[str]) -> None:
    if entry.name.startswith("."):
        return
    if not entry.name.isprintable():
        found.unnamed.append(os.fsencode(name).decode(errors="replace"))
        return
    try:
        directory = entry.is_dir()
    except OSError:  # a link that leads round in a circle
        directory = False
    if directory:
        (linked if entry.is_symlink() else waiting).append(name + "/")
    elif entry.name[entry.name.rfind(".") :].lower() in IMAGE_SUFFIXES:  # splitting a path each is slow
        state = _state(entry)
        if state is None:
            found.unnamed.append(name)
        else:
            found.pictures.append(FoundPicture(name, state))


def _state(entry: os.DirEntry[str]) -> FileState | None:
    """Zeros for a link to nothing: it fails when it is read, as one bad tile, and does not end the listing.

    None for a pipe or a device, on which a reader waits without end.
    """
    try:
        stat = entry.stat()
    except OSError:
        return 0, 0, 0, 0
    if not S_ISREG(stat.st_mode):
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def time_of(folder: Path) -> int:
    """When an entry last came or went, 0 where the folder is gone."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino
