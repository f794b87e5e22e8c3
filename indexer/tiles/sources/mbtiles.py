"""MBTiles: tiles in an SQLite file, whose rows count from the south. https://github.com/mapbox/mbtiles-spec"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM
from indexer.tiles.sources.source import Listing, SourceOptions, select
from indexer.tiles.tile_table import TileRecord, grid_table
from model.common.errors import BadImage

__all__ = ["MBTilesSource"]

_LIST = "SELECT zoom_level, tile_column, tile_row, coalesce(length(tile_data), 0) FROM tiles ORDER BY 1, 2, 3"
_READ = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"


class MBTilesSource:
    """One file, opened read-only, one connection a thread."""

    kind = "mbtiles"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self.path = path
        self._options = options
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """Nothing beside the path: the file says it all."""
        return {}

    def list_tiles(self) -> Listing:
        """Every row of the table `tiles`, y turned southwards."""
        try:
            kind = dict(self._connection().execute("SELECT name, value FROM metadata")).get("format", "png")
            rows = np.array(self._connection().execute(_LIST).fetchall(), np.int64).reshape(-1, 4)
        except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
            raise BadSource(f"{self.path} is no readable MBTiles file: {error}") from error
        if kind not in ("png", "jpg", "jpeg", "webp", "image/png", "image/jpeg", "image/webp"):
            raise BadSource(f"{self.path} holds tiles of format {kind!r}; png, jpg and webp can be indexed")
        side = np.int64(1) << np.clip(rows[:, 0], 0, MAX_ZOOM)
        on_grid = (rows[:, 0] <= MAX_ZOOM) & (rows[:, :3].min(axis=1, initial=0) >= 0)
        on_grid &= rows[:, 1:3].max(axis=1, initial=0) < side
        if not on_grid.any():
            raise BadSource(f"{self.path} holds no tile of the Web Mercator grid ({len(rows):,} rows)")
        zxy = np.stack([rows[:, 0], rows[:, 1], side - 1 - rows[:, 2]], axis=1)[on_grid]
        stamp = np.full(len(zxy), self.path.stat().st_mtime_ns, np.int64)
        table = grid_table(zxy, [self.path.name] * len(zxy), size_bytes=rows[on_grid, 3], stamp=stamp)
        listing = select(table, self._options, self.path)
        if not on_grid.all():
            listing.notes.append(f"{int((~on_grid).sum()):,} rows lie outside their zoom's grid and are ignored")
        return listing

    def read(self, tile: TileRecord) -> bytes:
        """The tile's bytes."""
        if tile.z is None or tile.y is None:
            raise BadImage(f"{tile.tile_id} is no tile of the grid; {self.path} has none but those")
        try:
            row = self._connection().execute(_READ, (tile.z, tile.x, (1 << tile.z) - 1 - tile.y)).fetchone()
        except sqlite3.Error as error:
            raise BadImage(f"tile {tile.tile_id} of {self.path} cannot be read: {error}") from error
        if row is None or not isinstance(row[0], bytes):
            raise BadImage(f"{self.path} holds no picture for tile {tile.tile_id}")
        return row[0]

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            while self._connections:
                self._connections.pop().close()
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            address = f"file:{quote(str(self.path))}?mode=ro"
            connection = sqlite3.connect(address, uri=True, check_same_thread=False)
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection
