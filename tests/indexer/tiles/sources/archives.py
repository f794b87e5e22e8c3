"""Writers of small archives, independent of the readers under test."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

Tiles = dict[tuple[int, int, int], bytes]


def write_pmtiles(
    path: Path, tiles: Tiles, kind: TileType = TileType.PNG, compression: Compression = Compression.NONE
) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        for z, x, y in sorted(tiles, key=lambda tile: zxy_to_tileid(*tile)):
            writer.write_tile(zxy_to_tileid(z, x, y), tiles[z, x, y])
        header = {"tile_type": kind, "tile_compression": compression, "min_zoom": 0, "max_zoom": 15}
        header |= dict.fromkeys(("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7", "center_zoom"), 0)
        writer.finalize(header | {"center_lon_e7": 0, "center_lat_e7": 0}, {})
    return path


def write_mbtiles(path: Path, tiles: Tiles, form: str = "png") -> Path:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE metadata (name text, value text)")
    database.execute("CREATE TABLE tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
    database.execute("INSERT INTO metadata VALUES ('format', ?)", (form,))
    rows = [(z, x, (1 << z) - 1 - y, data) for (z, x, y), data in tiles.items()]
    database.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
    database.commit()
    database.close()
    return path
