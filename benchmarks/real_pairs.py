"""Real pictures to measure with: panoramas, their tiles and further tiles, as pixels of the encoder's size.

The folder is the user's, nothing of it is copied. It holds `street/NAME.jpg` and `satellite/NAME.jpg`, one pair a name,
the panorama of 360 degrees with north in its middle column.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from model.common.errors import BadDataset
from model.common.images import decode_image
from model.inputs.transforms import NEUTRAL, InputSpec, lay_panorama, resize_tile

__all__ = ["Pair", "find_pairs", "find_tiles", "read_canvas", "read_tile"]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
_Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """A panorama and the tile around it."""

    name: str
    street: Path
    satellite: Path


def find_pairs(folder: Path) -> list[Pair]:
    """The pairs of a folder, by name.

    Raises:
        BadDataset: a folder is missing or empty, or a picture has no partner.
    """
    street, satellite = (_by_name(folder / side) for side in ("street", "satellite"))
    if alone := sorted(street.keys() ^ satellite.keys()):
        raise BadDataset(
            f"{folder}: no partner for {', '.join(alone[:5])} ({len(alone)} in all); "
            "street/ and satellite/ hold one picture each of every name"
        )
    return [Pair(name, street[name], satellite[name]) for name in sorted(street)]


def find_tiles(folder: Path, pattern: str = "*") -> list[Path]:
    """The pictures of a folder whose names match, sorted.

    Raises:
        BadDataset: there are none.
    """
    found = sorted(path for path in folder.glob(pattern) if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise BadDataset(f"{folder} holds no picture that matches {pattern!r}; give a folder of tiles")
    return found


def read_canvas(path: Path, inputs: InputSpec, *, horizon_deg: float = 0.0) -> _Pixels:
    """A panorama on the encoder's canvas, uint8 [H, W, 3].

    Args:
        path: of the picture, as many degrees for a row as for a column.
        inputs: the encoder's input.
        horizon_deg: how far the horizon lies below the picture's middle row.
    """
    picture = decode_image(path)
    shift = round(horizon_deg / 360.0 * picture.width)
    if shift:
        padded = Image.new("RGB", (picture.width, picture.height + 2 * abs(shift)), (NEUTRAL,) * 3)
        padded.paste(picture, (0, abs(shift) - shift))
        picture = padded
    return lay_panorama(picture, inputs)


def read_tile(path: Path, inputs: InputSpec, *, middle: float = 1.0) -> _Pixels:
    """The middle share of a tile at the encoder's size, uint8 [S, S, 3]; of more than three bands the first three.

    Raises:
        BadDataset: not a picture.
    """
    picture = _open_tiff(path) if path.suffix.lower().startswith(".tif") else decode_image(path)
    return resize_tile(picture, inputs, margin=(1.0 / middle - 1.0) / 2.0)


def _open_tiff(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=("TIFF",)) as picture:
            return picture.convert("RGB")
    except UnidentifiedImageError as error:
        raise BadDataset(f"{path} is no TIFF; fetch it again") from error


def _by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise BadDataset(f"there is no folder {folder}; it holds the pictures of one side, named as on the other")
    return _once(path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES)


def _once(paths: Iterable[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in paths:
        if path.stem in named:
            raise BadDataset(f"{named[path.stem]} and {path} have one name; leave one of them out")
        named[path.stem] = path
    if not named:
        raise BadDataset("the folder of pairs holds no pictures; street/ and satellite/ hold one each of every name")
    return named
