"""What a process that decodes does: groups of tiles come in, their pixels go into memory that others see, too."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.building.decoding import Decoded, TileRow, decode_tile
from indexer.building.picture_files import PictureFiles
from model.common.image_formats import load_decoders
from model.common.worker_pool import end_with_parent
from model.inputs.transforms import InputSpec

__all__ = ["DecodeJob", "DecodedGroup", "as_pixels", "decode_group", "set_up"]


@dataclass(frozen=True)
class DecodeJob:
    """What all groups of a build have in common.

    Attributes:
        shape: of the pixels, [slots, tiles of a group, H, W, 3].
        spec: the encoder's input.
        value_bits: how many bits 16-bit pictures of the source use, where it is known.
        root: folder that the names of files start from.
    """

    shape: tuple[int, ...]
    spec: InputSpec
    value_bits: int | None
    root: Path


class DecodedGroup(NamedTuple):
    """Tiles in the order asked for, and the seconds that reading and decoding them took."""

    tiles: list[Decoded]
    reading_s: float
    decoding_s: float


class _Mine(NamedTuple):
    """What this process has."""

    job: DecodeJob
    pixels: NDArray[np.uint8]
    files: PictureFiles


_mine: list[_Mine] = []


def as_pixels(shared: Any, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Shared memory as uint8 [slots, tiles of a group, H, W, 3]."""
    return np.frombuffer(shared, np.uint8).reshape(shape)


def set_up(shared: Any, job: DecodeJob) -> None:
    """What a process does first."""
    end_with_parent()
    load_decoders()
    _mine[:] = [_Mine(job, as_pixels(shared, job.shape), PictureFiles(job.root))]


def decode_group(slot: int, tiles: Sequence[TileRow], pictures: Sequence[bytes] | None) -> DecodedGroup:
    """Decode a group into its slot, and tell what became of it; the pixels are left out.

    Args:
        slot: where its pixels go.
        tiles: at most as many as a slot holds.
        pictures: theirs; None reads them from the files of the tiles.

    Raises:
        BadSource: the picture of a grid tile is not square.
    """
    began, mine, reading_s = time.perf_counter(), _mine[0], 0.0
    found: list[Decoded] = []
    read: Iterable[tuple[bytes | Decoded, float]]
    read = mine.files.read(tiles) if pictures is None else zip(pictures, repeat(0.0), strict=False)
    for place, (tile, (picture, seconds)) in enumerate(zip(tiles, read, strict=True)):
        reading_s += seconds
        decoded = _decoded_into(mine.pixels[slot, place], picture, tile, mine.job)
        found.append(decoded)
    return DecodedGroup(found, reading_s, time.perf_counter() - began - reading_s)


def _decoded_into(target: NDArray[np.uint8], picture: bytes | Decoded, tile: TileRow, job: DecodeJob) -> Decoded:
    """What became of a tile, its pixels aside."""
    if isinstance(picture, Decoded):
        return picture
    decoded = decode_tile(picture, tile, job.spec, job.value_bits)
    if decoded.pixels is None:
        return decoded
    target[:] = decoded.pixels
    return Decoded(tile.row, None, *decoded[2:])
