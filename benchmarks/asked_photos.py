"""A rendered split of the world as a user has it: tiles in a list, and photos that look anywhere and say so.

The split's panoramas look north. Here each is turned by an angle drawn for it and written anew, with XMP that says
where it looks, so that a heading that is read counts. One area in five is left out of the tiles: photos from elsewhere.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from model.common.images import decode_image
from model.data.manifest import read_manifest
from model.data.pairs import PairSet, Query, Reference
from model.inputs.panorama_tags import sphere_xmp

__all__ = ["AskedPhoto", "AskedPhotos", "lay_photos", "spread", "write_known", "write_table"]

_FULL_CIRCLE_DEG = 360.0
_T = TypeVar("_T")


@dataclass(frozen=True)
class AskedPhoto:
    """A photo whose place is known.

    Attributes:
        path: the turned panorama, which says where it looks.
        heading_deg: where its centre looks.
        query: where it was taken, and the panorama that looks north.
        tile: the tile it was taken on.
    """

    path: Path
    heading_deg: float
    query: Query
    tile: Reference


@dataclass(frozen=True)
class AskedPhotos:
    """Photos taken inside of what is indexed, and outside of it; the list of tiles; and how many those are."""

    inside: list[AskedPhoto]
    elsewhere: list[AskedPhoto]
    tiles: Path
    count: int


def lay_photos(data: Path, work: Path, *, inside: int, elsewhere: int) -> AskedPhotos:
    """Write the photos and the list of tiles.

    Args:
        data: `pairs.csv` of `python -m model render pairs`, whose areas are folders.
        work: new files are written here.
        inside: how many photos of the indexed areas.
        elsewhere: how many of the others.
    """
    pairs = read_manifest(data)
    areas = sorted({query.path.parent.name for query in pairs.queries})
    left_out = set(areas[-max(1, len(areas) // 5) :])
    here: list[int] = []
    there: list[int] = []
    for number, query in enumerate(pairs.queries):
        (there if query.path.parent.name in left_out else here).append(number)
    _write_tiles(work / "tiles.csv", pairs, here)
    return AskedPhotos(
        _turned(pairs, spread(here, inside), work / "inside"),
        _turned(pairs, spread(there, elsewhere), work / "elsewhere"),
        work / "tiles.csv",
        len({int(pairs.positives[number]) for number in here}),
    )


def spread(values: Sequence[_T], count: int) -> list[_T]:
    """So many of them, evenly spread; all, where there are not more."""
    count = min(count, len(values))
    return [values[at * len(values) // count] for at in range(count)]


def write_table(path: Path, photos: Sequence[AskedPhoto]) -> Path:
    """A table for `indexer localize` that gives the heading of each photo."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["photo", "heading_deg"])
        rows.writerows([photo.path, photo.heading_deg] for photo in photos)
    return path


def write_known(path: Path, photos: Sequence[AskedPhoto]) -> Path:
    """A manifest for `indexer calibrate`."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["query", "lat", "lon", "heading_deg", "fov_deg", "vertical_deg"])
        for photo in photos:
            place, vertical_deg = photo.query.location, photo.query.vertical_deg
            assert place is not None
            rows.writerow([photo.path, place.lat, place.lon, photo.heading_deg, _FULL_CIRCLE_DEG, vertical_deg])
    return path


def _write_tiles(path: Path, pairs: PairSet, numbers: Sequence[int]) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "lat", "lon"])
        for row in sorted({int(pairs.positives[number]) for number in numbers}):
            tile = pairs.references[row]
            assert tile.location is not None
            rows.writerow([tile.path.resolve(), tile.location.lat, tile.location.lon])


def _turned(pairs: PairSet, numbers: Sequence[int], folder: Path) -> list[AskedPhoto]:
    folder.mkdir()
    return [
        _turn(pairs.queries[number], pairs.references[int(pairs.positives[number])], number, folder)
        for number in numbers
    ]


def _turn(query: Query, tile: Reference, number: int, folder: Path) -> AskedPhoto:
    """A panorama turned by whole columns, its pixels as high as they are wide."""
    picture = decode_image(query.path)
    columns = int(np.random.default_rng(number).integers(picture.width))
    heading_deg = columns * _FULL_CIRCLE_DEG / picture.width
    rows = 2 * round(picture.width * (query.vertical_deg or 180.0) / _FULL_CIRCLE_DEG / 2)
    turned = Image.fromarray(np.roll(np.asarray(picture), -columns, axis=1)).resize((picture.width, rows))
    path = folder / f"{number}.jpg"
    turned.save(path, quality=95, xmp=sphere_xmp(heading_deg, *turned.size))
    return AskedPhoto(path, heading_deg, query, tile)
