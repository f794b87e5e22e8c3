"""Finding one's way in a downloaded folder: is this the root, which of two layouts is it, what do its lists say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from model.common.errors import BadDataset

__all__ = ["ListFile", "first_folder", "first_place", "names_in", "read_list", "require_root", "require_unique"]

_SHOWN = 8
_JUNK = (".", "Thumbs.db", "desktop.ini", "__MACOSX")
"""How files begin that operating systems leave behind."""


@dataclass(frozen=True)
class ListFile:
    """The lines of a list, empty ones left out; numbers count all of them from 1, as editors do."""

    path: Path
    lines: tuple[tuple[int, str], ...]
    crlf: bool

    def where(self, number: int) -> str:
        """How messages name a line."""
        return f"{self.path}, line {number}"

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What should be known of the file itself."""
        if not self.crlf:
            return ()
        return (f"{self.path} has CRLF line ends; read here, but code that splits at \\n keeps the \\r in the names",)


def require_root(root: Path, name: str, markers: Sequence[str]) -> None:
    """Check that a folder is a benchmark's root.

    Raises:
        BadDataset: it is not; with the folder above or below that is, if one is.
    """
    wanted = " or ".join(f"{marker}/" if "." not in marker else marker for marker in markers)
    if not root.is_dir():
        raise BadDataset(f"there is no folder {root}; give the folder of {name} that holds {wanted}")
    if _is_root(root, markers):
        return
    children = sorted(path for path in root.iterdir() if path.is_dir())
    for other in (*children, *root.resolve().parents[:3]):
        if _is_root(other, markers):
            raise BadDataset(f"{root} is not the root of {name}, but {other} looks like it; give that")
    found = sorted(path.name for path in root.iterdir())
    held = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "") if found else "nothing"
    raise BadDataset(f"{root} is not the root of {name}: it holds {held}, and not {wanted}")


def first_place(root: Path, candidates: Iterable[str]) -> Path | None:
    """The first of some relative paths that is there."""
    return next((path for path in (root / name for name in candidates) if path.exists()), None)


def first_folder(root: Path, candidates: Sequence[str], what: str) -> Path:
    """The first of some relative folders that is there.

    Raises:
        BadDataset: none is.
    """
    folder = first_place(root, candidates)
    if folder is None or not folder.is_dir():
        raise BadDataset(f"{root} lacks {what}: there is no {' and no '.join(candidates)}; was the archive unpacked?")
    return folder


def read_list(path: Path) -> ListFile:
    """Read a text file, whatever its line ends, and whether the last one is there or not.

    Raises:
        BadDataset: it is not there, is no text, or holds no lines.
    """
    if not path.is_file():
        raise BadDataset(f"there is no list {path}; it comes with the data set's splits")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDataset(f"{path} is not a text file: {error}") from error
    lines = tuple((number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip())
    if not lines:
        raise BadDataset(f"{path} is empty ({len(data)} bytes); unpack it again")
    return ListFile(path, lines, b"\r\n" in data)


def require_unique(named: Iterable[tuple[str, str]]) -> None:
    """Check (name, where it stands) pairs.

    Raises:
        BadDataset: a name stands at two places.
    """
    first: dict[str, str] = {}
    for name, where in named:
        if name in first:
            raise BadDataset(f"{name} is named twice, by {first[name]} and by {where}; remove one of them")
        first[name] = where


def names_in(folder: Path) -> list[str]:
    """Names of what a folder holds, sorted, without what operating systems leave behind; empty if it is not there."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(_JUNK))


def _is_root(folder: Path, markers: Sequence[str]) -> bool:
    return any((folder / marker).exists() for marker in markers)
