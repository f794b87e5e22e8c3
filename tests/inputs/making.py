"""Inputs with quirks, made by hand: a few tiles of one place, in the forms in which people have them."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

import mercantile
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import Listing, SourceOptions
from tests.indexer.tiny import encoded

ZOOM, LEFT, TOP = 16, 34_322, 22_949
"""The northern hemisphere, in Zurich; the row turned over, 42586, lies in the southern Indian Ocean."""
PLACE = (8.536376953125, 47.372314453125, 8.54736328125, 47.379754)
ZXY = [(ZOOM, LEFT + column, TOP + row) for column in range(2) for row in range(2)]


def place_of(zxy: list[tuple[int, int, int]]) -> tuple[float, float, float, float]:
    """(west, south, east, north) of tiles, by mercantile."""
    boxes = [mercantile.bounds(x, y, z) for z, x, y in zxy]
    return (
        min(box.west for box in boxes),
        min(box.south for box in boxes),
        max(box.east for box in boxes),
        max(box.north for box in boxes),
    )


def flipped(z: int, y: int) -> int:
    """The row counted from the other end."""
    return (1 << z) - 1 - y


def write_tile(path: Path, seed: int = 0, size: tuple[int, int] = (32, 32)) -> Path:
    """A picture, its folders with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if size[0] == size[1]:
        path.write_bytes(encoded(seed, size[0]))
    else:
        pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return path


def write_folder(root: Path, name: Callable[[int, int, int], str], zxy: list[tuple[int, int, int]] = ZXY) -> Path:
    """A folder of tiles, each under the name that is made of its z, x, y."""
    for seed, tile in enumerate(zxy):
        write_tile(root / name(*tile), seed)
    return root


def write_mbtiles(
    path: Path,
    rows: list[tuple[object, object, object]],
    metadata: Mapping[str, str] | None = None,
    *,
    types: str = "int",
    wal: bool = False,
) -> Path:
    """MBTiles whose rows are given as they are stored; without the table of metadata where it is None."""
    database = sqlite3.connect(path)
    if wal:
        database.execute("PRAGMA journal_mode=WAL")
    if metadata is not None:
        database.execute("CREATE TABLE metadata (name text, value text)")
        database.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
    database.execute(f"CREATE TABLE tiles (zoom_level {types}, tile_column {types}, tile_row {types}, tile_data blob)")
    database.executemany(
        "INSERT INTO tiles VALUES (?, ?, ?, ?)", [(*row, encoded(seed, 32)) for seed, row in enumerate(rows)]
    )
    database.commit()
    database.close()
    return path


def listed(path: Path, **options: object) -> Listing:
    """What `indexer build` would list."""
    source = open_source(path, SourceOptions(**options))  # type: ignore[arg-type]
    try:
        return source.list_tiles()
    finally:
        source.close()


def bounds_of(path: Path, **options: object) -> tuple[float, float, float, float]:
    """(west, south, east, north) of all tiles listed."""
    return listed(path, **options).table.bounds.as_tuple()


def names_of(path: Path, **options: object) -> list[str]:
    """The tiles listed, in order."""
    names: list[str] = sorted(listed(path, **options).table.tile_id.tolist())
    return names


def country(side_px: int) -> NDArray[np.uint8]:
    """uint8 [side, side, 3] of ground that goes on over every seam, no part of which is like another."""
    random = np.random.default_rng(7)
    ground = np.zeros((side_px, side_px, 3))
    for cells in (4, 8, 16, 32):
        colours = Image.fromarray(random.integers(0, 255, (cells, cells, 3), dtype=np.uint8))
        ground += np.asarray(colours.resize((side_px, side_px), Image.Resampling.BICUBIC), np.float64)
    return (255 * (ground - ground.min()) / np.ptp(ground)).astype(np.uint8)


def tiles_of_country(columns: int = 4, rows: int = 4, side_px: int = 32) -> dict[tuple[int, int, int], bytes]:
    """The same ground as encoded tiles, by their true z, x, y."""
    ground = country(side_px * max(columns, rows))
    tiles = {}
    for x in range(columns):
        for y in range(rows):
            buffer = io.BytesIO()
            part = ground[y * side_px : (y + 1) * side_px, x * side_px : (x + 1) * side_px]
            Image.fromarray(part).save(buffer, "PNG")
            tiles[ZOOM, LEFT + x, TOP + y] = buffer.getvalue()
    return tiles


def write_country(root: Path, name: Callable[[int, int, int], str], **size: int) -> Path:
    """A folder of that ground's tiles, each under the name that is made of its z, x, y."""
    for tile, data in tiles_of_country(**size).items():
        path = root / name(*tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root
