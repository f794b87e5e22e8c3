"""The interface of a tile source, its options, and the choice of zoom and box that all sources share."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from indexer.common.errors import BadSource
from indexer.tiles.region import BoxRegion
from indexer.tiles.sources.options import SourceOptions
from indexer.tiles.tile_table import TileRecord, TileTable
from model.common.counted import counted
from model.common.errors import BadImage
from model.common.images import decode_image

__all__ = [
    "HasFiles",
    "Listing",
    "SourceOptions",
    "TileImage",
    "TileSource",
    "as_tile_image",
    "inside",
    "read_picture",
    "select",
    "source_name",
]

_LARGEST_PICTURE_BYTES = 1 << 30
_PART_BYTES = 1 << 20


@dataclass(frozen=True)
class Listing:
    """What a source holds: its tiles in a fixed order, and remarks for the user on what was left out."""

    table: TileTable
    notes: list[str] = field(default_factory=list)


class TileSource(Protocol):
    """A corpus of tiles. `read` may be called from several threads at once.

    Attributes:
        kind: name of the format, as in the index's manifest.
        path: the file or folder.
    """

    kind: str
    path: Path

    def describe(self) -> dict[str, Any]:
        """What makes the tiles what they are, beside the path: JSON values that open the source alike."""

    def list_tiles(self) -> Listing:
        """Every tile that the options leave; of the pictures a few are read at most.

        Raises:
            BadSource: there is none, or the source is damaged.
        """

    def read(self, tile: TileRecord) -> bytes | Image.Image:
        """One tile, as an encoded JPEG, PNG, WebP, TIFF, AVIF or HEIC or as an RGB picture.

        Raises:
            TileWithoutData: the tile is mostly empty.
            BadImage: the tile is damaged.
            OSError: it cannot be read.
        """

    def close(self) -> None:
        """Let go of open files."""


@runtime_checkable
class HasFiles(Protocol):
    """A source of which each tile is a file of its own, so that any process can read it as `read` would."""

    @property
    def files_root(self) -> Path:
        """Folder that the names in the column `source` start from."""


def source_name(source: TileSource) -> str:
    """The address of a source, or its path where it has none."""
    return str(getattr(source, "address", None) or source.path)


def select(table: TileTable, options: SourceOptions, where: Path) -> Listing:
    """The tiles of the zooms asked for inside the box, and a remark when other zooms were left out.

    Raises:
        BadSource: no tile is left, or a zoom asked for is not there.
    """
    notes: list[str] = []
    zooms = {int(zoom): int(count) for zoom, count in zip(*np.unique(table.z, return_counts=True), strict=True)}
    wanted = options.zooms or (max(zooms),)
    if missing := [zoom for zoom in wanted if zoom not in zooms]:
        raise BadSource(f"{where} holds no tile of zoom {missing[0]}; it holds {_zoom_list(zooms)}")
    if len(zooms) > 1:
        how = "the deepest" if options.zooms is None else "as asked"
        named = f"zoom {wanted[0]} is" if len(wanted) == 1 else f"zooms {', '.join(map(str, wanted))} are"
        notes.append(f"zooms present: {_zoom_list(zooms)}; {named} indexed ({how})")
        table = table.take(np.isin(table.z, wanted))
    return Listing(inside(table, options, where), notes)


def inside(table: TileTable, options: SourceOptions, where: Path) -> TileTable:
    """The tiles that touch the options' box.

    Raises:
        BadSource: none does.
    """
    if options.bbox is None:
        return table
    mask = BoxRegion(options.bbox).mask(table.west, table.south, table.east, table.north)
    if not mask.any():
        raise BadSource(
            f"no tile of {where} touches the box {options.bbox.as_tuple()} (west, south, east, north); "
            f"its tiles lie in {table.bounds.as_tuple()}"
        )
    return table if mask.all() else table.take(mask)


def _zoom_list(zooms: dict[int, int]) -> str:
    return ", ".join(f"{zoom} ({counted(count, 'tile')})" for zoom, count in sorted(zooms.items()))


@dataclass(frozen=True)
class TileImage:
    """Encoded picture and its media type."""

    data: bytes
    media_type: str


def read_picture(root: Path | str, name: str) -> bytes:
    """The bytes of a picture's file, named from a folder.

    Raises:
        BadImage: it is no plain file, which a program would wait for without end, or absurdly large.
        OSError: it cannot be read.
    """
    path = os.path.join(root, name)  # noqa: PTH118 (a Path each is slow)
    state = os.stat(path)  # noqa: PTH116 (as above); before it is opened, since opening a pipe waits, too
    if not stat.S_ISREG(state.st_mode):
        raise BadImage(f"{path} is no plain file but a folder, a pipe or a device")
    if state.st_size > _LARGEST_PICTURE_BYTES:
        raise BadImage(f"{path} has {state.st_size:,} bytes; no picture of a tile is so large")
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _read_whole(file, state.st_size)
    finally:
        os.close(file)


def _read_whole(file: int, size: int) -> bytes:
    """All of an opened file that had a size when it was looked at; one that has it still is read in one go."""
    parts = [os.read(file, size + 1)]
    if len(parts[0]) == size:
        return parts[0]
    while part := os.read(file, _PART_BYTES):
        parts.append(part)
    return b"".join(parts)


def as_tile_image(picture: bytes | Image.Image) -> TileImage:
    """Wrap what a source read.

    Raises:
        BadImage: bytes that are no picture of an accepted format.
    """
    if isinstance(picture, Image.Image):
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG")
        return TileImage(buffer.getvalue(), "image/png")
    if picture.startswith(b"\xff\xd8\xff"):
        return TileImage(picture, "image/jpeg")
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return TileImage(picture, "image/png")
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return TileImage(picture, "image/webp")
    return as_tile_image(decode_image(picture))
