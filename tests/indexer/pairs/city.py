"""A tiny city: coloured tiles, and geotagged photos on a line of streets over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from indexer.tiles.grid import tile_bounds
from model.common.geo import LatLon, offset_m
from tests.indexer.tiny import make_tiles
from tests.model.photo_files import exif, photo

ZOOM, LEFT, TOP = 18, 140_000, 88_000
CORNER = LatLon(*(float(edge) for edge in (tile_bounds(ZOOM, LEFT, TOP)[3], tile_bounds(ZOOM, LEFT, TOP)[0])))
"""North-western corner of the imagery."""


def city_tiles(folder: Path, columns: int = 24, rows: int = 3) -> Path:
    """A z/x/y folder; tiles are about 102 m wide."""
    return make_tiles(folder, columns, rows, ZOOM, left=LEFT, top=TOP)


def spot(east_m: float, south_m: float) -> LatLon:
    """A place from the imagery's north-western corner."""
    return offset_m(CORNER, east_m=east_m, north_m=-south_m)


def write_photo(path: Path, place: LatLon | None, *, seed: int = 0, heading: float | None = 90.0, **tags) -> Path:
    """A 2:1 panorama of noise with EXIF."""
    noise = np.random.default_rng(seed).integers(0, 255, (16, 32, 3), np.uint8)
    picture = Image.fromarray(noise).resize((128, 64))
    position = None if place is None else (place.lat, place.lon)
    path.parent.mkdir(parents=True, exist_ok=True)
    reference = None if heading is None else "T"
    block = exif(position=position, direction=heading, reference=reference, **tags)
    path.write_bytes(photo(picture=picture, exif=block))
    return path


def write_street(folder: Path, count: int = 56, *, step_m: float = 38.0) -> Path:
    """Photos along the middle row of tiles from west to east."""
    for number in range(count):
        write_photo(folder / f"{number:03d}.jpg", spot(120.0 + step_m * number, 150.0), seed=number)
    return folder
