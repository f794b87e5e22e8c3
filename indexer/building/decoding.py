"""One tile from its file to the encoder's pixels, or why there is none. Pure, so that any process can do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.errors import BadSource, TileWithoutData
from indexer.tiles.sources.source import TileSource
from indexer.tiles.tile_table import TileRecord, TileTable
from model.common.atomic_io import sha256_bytes
from model.common.errors import BadImage
from model.common.images import decode_sized
from model.inputs.transforms import NEUTRAL, InputSpec, resize_tile

__all__ = ["Decoded", "Pixels", "TileRow", "content_of", "decode_tile", "open_picture", "read_tile", "rows_of"]

Pixels = NDArray[np.uint8]


class TileRow(NamedTuple):
    """A tile to be decoded: its row of the plan, its file, whether it lies on the grid, and its name for messages."""

    row: int
    tile_id: str
    source: str
    on_grid: bool


class Decoded(NamedTuple):
    """One tile as the encoder wants it, or why there is none.

    Attributes:
        row: row of the plan.
        pixels: uint8 [H, W, 3], or None; where processes decode, true until the next tile is asked for.
        size: "width x height" of the picture before it was resized.
        reason: why it failed; empty where it was skipped for lack of data.
        content: bytes and SHA-256 hex of the picture as it was read.
    """

    row: int
    pixels: Pixels | None
    size: str = ""
    reason: str = ""
    content: tuple[int, str] = (0, "")


def rows_of(tiles: TileTable, rows: Sequence[int]) -> list[TileRow]:
    """Some rows of a plan, in that order."""
    at = np.asarray(rows, np.int64)
    columns = tiles.tile_id[at].tolist(), tiles.source[at].tolist(), (tiles.z[at] >= 0).tolist()
    return [TileRow(*each) for each in zip(rows, *columns, strict=True)]


def read_tile(source: TileSource, tile: TileRecord, row: int) -> bytes | Image.Image | Decoded:
    """A tile's picture, or why there is none."""
    try:
        return source.read(tile)
    except TileWithoutData:
        return Decoded(row, None)
    except (BadImage, OSError) as error:
        return Decoded(row, None, reason=f"{tile.source}: {error}")


def decode_tile(picture: bytes | Image.Image, tile: TileRow, spec: InputSpec, value_bits: int | None) -> Decoded:
    """A picture at the encoder's size, or why it is none.

    Args:
        picture: as the source gave it.
        tile: whose it is.
        spec: the encoder's input.
        value_bits: how many bits 16-bit pictures of the source use, where it is known.

    Raises:
        BadSource: the picture of a grid tile is not square.
    """
    try:
        image, size = _opened(picture, spec, value_bits)
        _require_square(size, tile)
        pixels = resize_tile(image, spec)
    except (BadImage, OSError) as error:
        return Decoded(tile.row, None, reason=f"{tile.source}: {error}")
    if _is_neutral(pixels):
        return Decoded(tile.row, None)
    return Decoded(tile.row, pixels, f"{size[0]} x {size[1]}", content=content_of(picture))


def open_picture(picture: bytes | Image.Image, spec: InputSpec, value_bits: int | None) -> Image.Image:
    """A picture as RGB, no smaller than the encoder's input if it is not.

    Raises:
        BadImage: it cannot be decoded.
    """
    return _opened(picture, spec, value_bits)[0]


def content_of(picture: bytes | Image.Image) -> tuple[int, str]:
    """Bytes and SHA-256 hex of an encoded picture; of one that was cut, 0 and that of its size and pixels."""
    if isinstance(picture, bytes):
        return len(picture), sha256_bytes(picture)
    return 0, sha256_bytes(f"{picture.mode} {picture.size} ".encode() + picture.tobytes())


def _opened(
    picture: bytes | Image.Image, spec: InputSpec, value_bits: int | None
) -> tuple[Image.Image, tuple[int, int]]:
    """A picture as RGB, and its (width, height) before any scaling: a JPEG may be decoded at a reduced size."""
    if isinstance(picture, Image.Image):
        return picture, picture.size
    at_least_px = spec.satellite_size_px if spec.antialias else None
    return decode_sized(picture, at_least_px=at_least_px, value_bits=value_bits)


def _is_neutral(pixels: Pixels) -> bool:
    """Whether it is what decoding makes of a wholly transparent picture; nearly always one pixel tells."""
    return bool(pixels[0, 0, 0] == NEUTRAL and (pixels == NEUTRAL).all())


def _require_square(size: tuple[int, int], tile: TileRow) -> None:
    """A tile of the grid is as wide as it is high; another picture is a tile of another grid, at another place.

    Raises:
        BadSource: it is not, which ends the build.
    """
    width, height = size
    if tile.on_grid and width != height:
        raise BadSource(
            f"tile {tile.tile_id} ({tile.source}) is {width} x {height} pixels, and a tile of the Web Mercator grid is "
            "square: these are tiles of another grid or cut at an edge. Make Web Mercator tiles of them, or list them "
            "with their bounds in a CSV"
        )
