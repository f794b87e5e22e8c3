"""Tile folders: `z/x/y.png|jpg|webp`, the same counted from the south (TMS), or files named by quadkey."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM
from indexer.tiles.sources.source import Listing, SourceOptions, select
from indexer.tiles.tile_table import TileRecord, grid_table
from model.common.images import IMAGE_SUFFIXES

__all__ = ["FolderSource"]

_ZXY = re.compile(r"(\d{1,2})/(\d{1,10})/(\d{1,10})\.\w+")
_QUADKEY = re.compile(rf"(?:(?:.*/)?([^/]*)/)?([0-3]{{1,{MAX_ZOOM}}})\.\w+")

_Zxy = tuple[int, int, int]


class FolderSource:
    """A folder of tile pictures on the Web Mercator grid."""

    kind = "folder"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self.path = path
        self._options = options

    def describe(self) -> dict[str, Any]:
        """The scheme of y; it is what turns a file name into a place."""
        return {"scheme": self._options.scheme}

    def list_tiles(self) -> Listing:
        """Every picture whose path names a tile, by scanning directories."""
        found = sorted(_pictures(self.path))
        if not found:
            raise BadSource(f"{self.path} holds no .png, .jpg or .webp file; give a folder of tiles named z/x/y.png")
        places = _places([name for name, _, _ in found], self._options.scheme)
        kept = [(place, *file) for place, file in zip(places, found, strict=True) if place is not None]
        if not kept:
            raise BadSource(
                f"{self.path} holds {len(found):,} pictures, none named z/x/y.png or by quadkey (the first is "
                f"{found[0][0]}); give the folder above the zoom folders, or a CSV of paths and coordinates"
            )
        _refuse_twins(self.path, kept)
        table = grid_table(
            np.array([place for place, *_ in kept], np.int64),
            [name for _, name, _, _ in kept],
            size_bytes=np.array([size for _, _, size, _ in kept], np.int64),
            stamp=np.array([stamp for _, _, _, stamp in kept], np.int64),
        )
        listing = select(table, self._options, self.path)
        if len(kept) < len(found):
            stray = next(file[0] for place, file in zip(places, found, strict=True) if place is None)
            listing.notes.append(f"{len(found) - len(kept):,} pictures name no tile and are ignored, such as {stray}")
        return listing

    def read(self, tile: TileRecord) -> bytes:
        """The file's bytes."""
        return (self.path / tile.source).read_bytes()

    def close(self) -> None:
        """Nothing is held open."""


def _pictures(root: Path, prefix: str = "") -> Iterator[tuple[str, int, int]]:
    """(relative path, bytes, modification time in ns) of every file that has a picture's suffix."""
    with os.scandir(root / prefix) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = prefix + entry.name
            if entry.is_dir():
                yield from _pictures(root, name + "/")
            elif os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES:  # noqa: PTH122 (a Path each is slow)
                yield name, *_size_and_stamp(entry)


def _size_and_stamp(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Zeros for a link to nothing: it fails when it is read, as one bad tile, and does not end the listing."""
    try:
        stat = entry.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _places(names: list[str], scheme: str) -> list[_Zxy | None]:
    """The tile that each name stands for: by z/x/y where any name has that form, by quadkey otherwise."""
    places = [_from_zxy(name, scheme) for name in names]
    return places if any(places) else [_from_quadkey(name) for name in names]


def _from_zxy(name: str, scheme: str) -> _Zxy | None:
    match = _ZXY.fullmatch(name)
    if match is None:
        return None
    z, x, y = (int(part) for part in match.groups())
    if z > MAX_ZOOM or x >= 1 << z or y >= 1 << z:
        return None
    return z, x, (1 << z) - 1 - y if scheme == "tms" else y


def _from_quadkey(name: str) -> _Zxy | None:
    match = _QUADKEY.fullmatch(name)
    if match is None:
        return None
    parent, digits = match.groups(default="")
    if parent.isdigit() and not digits.startswith(parent):  # rather the x of x/y.png
        return None
    x = int("".join(str(int(digit) & 1) for digit in digits), 2)
    y = int("".join(str(int(digit) >> 1) for digit in digits), 2)
    return len(digits), x, y


def _refuse_twins(root: Path, kept: list[tuple[_Zxy, str, int, int]]) -> None:
    place, count = Counter(place for place, *_ in kept).most_common(1)[0]
    if count > 1:
        names = [name for where, name, *_ in kept if where == place]
        raise BadSource(f"{root} has {count} pictures of tile {place[0]}/{place[1]}/{place[2]}: {', '.join(names)}")
