"""One tile from its file to the encoder's pixels, or why there is none. Pure, so that any process can do it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.errors import BadSource, TileWithoutData
from indexer.tiles.sources.source import TileSource
from indexer.tiles.tile_table import TileRecord
from model.common.atomic_io import sha256_bytes
from model.common.errors import BadImage
from model.common.images import decode_image
from model.inputs.transforms import NEUTRAL, InputSpec, resize_tile

__all__ = ["Decoded", "Pixels", "content_of", "decode_tile", "open_picture", "read_tile"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Decoded:
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


def read_tile(source: TileSource, tile: TileRecord, row: int) -> bytes | Image.Image | Decoded:
    """A tile's picture, or why there is none."""
    try:
        return source.read(tile)
    except TileWithoutData:
        return Decoded(row, None)
    except (BadImage, OSError) as error:
        return Decoded(row, None, reason=f"{tile.source}: {error}")


def decode_tile(
    picture: bytes | Image.Image, tile: TileRecord, row: int, spec: InputSpec, value_bits: int | None
) -> Decoded:
    """A picture at the encoder's size, or why it is none.

    Args:
        picture: as the source gave it.
        tile: whose it is.
        row: of the plan.
        spec: the encoder's input.
        value_bits: how many bits 16-bit pictures of the source use, where it is known.

    Raises:
        BadSource: the picture of a grid tile is not square.
    """
    try:
        image = open_picture(picture, spec, value_bits)
        size = _size_text(picture)
        _require_square(size, tile)
        pixels = resize_tile(image, spec)
    except (BadImage, OSError) as error:
        return Decoded(row, None, reason=f"{tile.source}: {error}")
    if (pixels == NEUTRAL).all():  # what decoding makes of a wholly transparent picture
        return Decoded(row, None)
    return Decoded(row, pixels, size, content=content_of(picture))


def open_picture(picture: bytes | Image.Image, spec: InputSpec, value_bits: int | None) -> Image.Image:
    """A picture as RGB, no smaller than the encoder's input if it is not.

    Raises:
        BadImage: it cannot be decoded.
    """
    if isinstance(picture, Image.Image):
        return picture
    at_least_px = spec.satellite_size_px if spec.antialias else None
    return decode_image(picture, at_least_px=at_least_px, value_bits=value_bits)


def content_of(picture: bytes | Image.Image) -> tuple[int, str]:
    """Bytes and SHA-256 hex of an encoded picture; of one that was cut, 0 and that of its size and pixels."""
    if isinstance(picture, bytes):
        return len(picture), sha256_bytes(picture)
    return 0, sha256_bytes(f"{picture.mode} {picture.size} ".encode() + picture.tobytes())


def _require_square(size: str, tile: TileRecord) -> None:
    """A tile of the grid is as wide as it is high; another picture is a tile of another grid, at another place.

    Raises:
        BadSource: it is not, which ends the build.
    """
    width, _, height = size.partition(" x ")
    if tile.z is not None and width != height:
        raise BadSource(
            f"tile {tile.tile_id} ({tile.source}) is {size} pixels, and a tile of the Web Mercator grid is square: "
            "these are tiles of another grid or cut at an edge. Make Web Mercator tiles of them, or list them with "
            "their bounds in a CSV"
        )


def _size_text(picture: bytes | Image.Image) -> str:
    """Size before any scaling; a JPEG may be decoded at a reduced one."""
    if isinstance(picture, Image.Image):
        return f"{picture.width} x {picture.height}"
    with Image.open(io.BytesIO(picture)) as header:
        return f"{header.width} x {header.height}"
