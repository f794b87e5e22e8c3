"""MBTiles: tiles in an SQLite file, whose rows count from the south. https://github.com/mapbox/mbtiles-spec"""

from __future__ import annotations

import itertools
import re
import sqlite3
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.sources.claims import refuse_geodetic_rows, settle_scheme
from indexer.tiles.sources.first_bytes import is_picture, is_vector
from indexer.tiles.sources.foreign import foreign_tables
from indexer.tiles.sources.gzipped import unpacked
from indexer.tiles.sources.schemes import AUTO, from_xyz, on_grid, require_row_scheme, to_xyz
from indexer.tiles.sources.seams import doubt_of_rows
from indexer.tiles.sources.sidecars import metadata_claim
from indexer.tiles.sources.source import Listing, SourceOptions, select
from indexer.tiles.tile_table import TileRecord, grid_table
from model.common.counted import counted
from model.common.errors import BadImage, reason_of
from model.common.plain_files import require_plain

__all__ = ["MBTilesSource"]

_LIST = "SELECT zoom_level, tile_column, tile_row, coalesce(length(tile_data), 0) FROM tiles ORDER BY 1, 2, 3"
_READ = "SELECT tile_data FROM tiles WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3"
_READ_TEXT = (
    "SELECT tile_data FROM tiles WHERE zoom_level IN (?1, CAST(?1 AS TEXT)) "
    "AND tile_column IN (?2, CAST(?2 AS TEXT)) AND tile_row IN (?3, CAST(?3 AS TEXT))"
)
_USUAL = "tms"
_FORMATS = re.compile(r"\.?(image/)?(png|jpe?g|webp)\d*(:.*)?")
"""As Mapnik's `png8:m=h` and `jpeg80`, too."""
_VECTOR_FORMATS = ("pbf", "mvt", "application/x-protobuf", "application/vnd.mapbox-vector-tile")
_MOST_METADATA = 10_000
_LEAST_STEPS, _STEPS_A_BYTE = 50_000_000, 20
"""SQLite's steps allowed for one query; to list plain tables it takes less than one for each byte of the file."""
_STEPS_BETWEEN = 100_000
_LARGEST_VALUE_BYTES = 256 << 20
"""A value of a view can be made up, of any size, while it is read."""

_Ints = NDArray[np.int64]


class MBTilesSource:
    """One file, opened read-only, one connection a thread."""

    kind = "mbtiles"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        require_row_scheme(options.scheme, path)
        self.path = path
        self._options = options
        self._scheme = options.scheme
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """The scheme of its rows, once listed the one found, and the box."""
        return {"scheme": self._scheme} | self._options.stated_box

    def list_tiles(self) -> Listing:
        """Every row of the table `tiles`, y turned southwards."""
        self._refuse_other_databases()
        metadata, notes = self._metadata()
        stored, sizes, unplaced = self._rows()
        repeated = np.zeros(len(stored), np.bool_)
        repeated[1:] = (np.diff(stored, axis=0) == 0).all(axis=1)  # they come in order
        stored, sizes = stored[~repeated], sizes[~repeated]
        inside = on_grid(stored)
        if self._options.scheme == AUTO:
            refuse_geodetic_rows(stored, inside, self.path)
        if not inside.any():
            raise BadSource(
                f"{self.path} holds no tile of the Web Mercator grid ({counted(len(stored) + unplaced, 'row')})"
            )
        claim = metadata_claim("metadata", {**metadata, "scheme": ""})  # its key `scheme` is often wrong
        self._scheme, found = settle_scheme(stored[inside], [claim], self._options, self.path, usual=_USUAL)
        zxy = to_xyz(stored[inside], self._scheme)
        stamp = np.full(len(zxy), self.path.stat().st_mtime_ns, np.int64)
        table = grid_table(zxy, [self.path.name] * len(zxy), size_bytes=sizes[inside], stamp=stamp)
        listing = select(table, self._options, self.path)
        if repeated.any():
            rows = counted(int(repeated.sum()), "row", "repeats", "repeat")
            notes.append(f"warning: {rows} a tile; one picture of each is taken")
        listing.notes.extend(notes + found + self._remarks(metadata, int((~inside).sum()), unplaced))
        listing.notes.extend(doubt_of_rows(listing.table, self._scheme, self._options.scheme, self.read, self.path))
        return listing

    def read(self, tile: TileRecord) -> bytes:
        """The tile's bytes."""
        if tile.z is None or tile.x is None or tile.y is None:
            raise BadImage(f"{tile.tile_id} is no tile of the grid; {self.path} has none but those")
        place = from_xyz(tile.z, tile.x, tile.y, _USUAL if self._scheme == AUTO else self._scheme)
        try:
            rows = self._query(_READ, place) or self._query(_READ_TEXT, place)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise BadImage(f"tile {tile.tile_id} of {self.path} cannot be read: {error}") from error
        picture = rows[0][0] if rows else None
        if not isinstance(picture, bytes):
            raise BadImage(f"{self.path} holds no picture for tile {tile.tile_id}")
        try:
            return unpacked(picture)
        except ValueError as error:
            raise BadImage(f"tile {tile.tile_id} of {self.path} {error}") from error

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            while self._connections:
                self._connections.pop().close()
        self._local = threading.local()

    def _refuse_other_databases(self) -> None:
        try:
            tables = self._query("SELECT lower(name) FROM sqlite_master LIMIT 10000")
            columns = self._query("SELECT lower(name) FROM pragma_table_info('tiles')")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._unreadable(error) from error
        if what := foreign_tables([str(name) for (name,) in tables], [str(name) for (name,) in columns]):
            raise BadSource(f"{self.path} {what}")

    def _metadata(self) -> tuple[dict[str, Any], list[str]]:
        """The table `metadata` as far as it is there, and a remark where it is not."""
        notes = []
        try:
            rows = self._query(f"SELECT name, value FROM metadata LIMIT {_MOST_METADATA}")
            metadata = {str(name).lower(): value for name, value in rows}
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):
                raise self._unreadable(error) from error
            metadata = {}
            notes.append("it has no table metadata; the pictures say themselves what they are")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._unreadable(error) from error
        kind = str(metadata.get("format") or "").strip().lower()
        if _FORMATS.fullmatch(kind):
            return metadata, notes
        first = self._first_tile()
        if kind in _VECTOR_FORMATS or (kind and not is_picture(first)):
            raise BadSource(f"{self.path} holds tiles of format {kind!r}; png, jpg and webp can be indexed")
        if kind:
            notes.append(f"metadata gives the format {kind!r}, and the tiles are pictures; they are read as such")
        elif is_vector(first):
            raise BadSource(
                f"{self.path} holds vector tiles (they start with {first[:4]!r}); png, jpg and webp can be indexed"
            )
        return metadata, notes

    def _first_tile(self) -> bytes:
        """What it begins with, unpacked: vector tiles are compressed, and some pictures too; empty if it is damaged."""
        try:
            rows = self._query("SELECT tile_data FROM tiles LIMIT 1")
            tile = rows[0][0] if rows else None
            return unpacked(tile) if isinstance(tile, bytes) else b""
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._unreadable(error) from error
        except ValueError:  # counted as a tile that cannot be read
            return b""

    def _rows(self) -> tuple[_Ints, _Ints, int]:
        """([N, 3] zoom, column, row as stored; bytes; number of rows without a whole number in one of the three)."""
        try:
            rows = self._query(_LIST)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._unreadable(error) from error
        table = np.array(rows)
        if table.dtype.kind != "i":  # text, blobs, fractions or nothing at all in some row
            whole = [(*place, size) for *row, size in rows if (place := _whole_numbers(row)) is not None]
            table = np.array(whole, np.int64)
        table = table.reshape(-1, 4)
        return table[:, :3], table[:, 3], len(rows) - len(table)

    def _remarks(self, metadata: dict[str, Any], outside: int, unplaced: int) -> list[str]:
        notes = []
        if outside:
            notes.append(f"{counted(outside, 'row', 'lies', 'lie')} outside of the zoom's grid; ignored")
        if unplaced:
            rows = counted(unplaced, "row", "has", "have")
            notes.append(f"{rows} no whole number as zoom, column or row; ignored")
        said = str(metadata.get("scheme", "")).lower()
        if said == "xyz" and self._scheme == _USUAL:
            notes.append(
                "metadata says scheme=xyz, which files with right rows carry, too; the rows are taken from the south, "
                "as MBTiles are defined (--scheme xyz takes them from the north)"
            )
        return notes

    def _query(self, statement: str, values: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
        connection = self._connection()
        steps = _LEAST_STEPS + _STEPS_A_BYTE * self.path.stat().st_size
        rounds = itertools.count(1)
        connection.set_progress_handler(lambda: next(rounds) * _STEPS_BETWEEN > steps, _STEPS_BETWEEN)
        try:
            return connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if str(error) != "interrupted":
                raise
            raise sqlite3.OperationalError(
                f"it takes more than {steps:,} steps of SQLite to read; is one of its tables a view without end or "
                "without an index? Write it into plain tables"
            ) from error
        except (UnicodeDecodeError, OverflowError) as error:  # what the driver makes of damaged names and numbers
            raise sqlite3.DatabaseError(f"it is damaged ({error})") from error
        except MemoryError as error:  # SQLite sets aside what a damaged length claims
            raise sqlite3.DatabaseError("it takes more memory to read than there is; is it damaged?") from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        """A read-only connection, to a file that nobody changes where there is neither right nor need to write.

        In WAL mode SQLite writes beside the file even to read it, which a read-only mount forbids.
        """
        for name in self._beside():
            require_plain(self.path.with_name(name))
        try:
            return self._tried("mode=ro")
        except sqlite3.OperationalError as error:
            if unfinished := next((name for name in self._beside() if _holds_bytes(self.path.with_name(name))), None):
                raise BadSource(
                    f"{self.path} has unfinished changes in {unfinished} that cannot be read where the folder cannot "
                    "be written; open it once with sqlite3 where it can, and run `PRAGMA wal_checkpoint(TRUNCATE)`"
                ) from error
            try:
                return self._tried("mode=ro&immutable=1")
            except sqlite3.OperationalError:
                raise self._unreadable(error) from error

    def _beside(self) -> tuple[str, str]:
        """Files in which SQLite keeps what is not in the database yet, or not out of it."""
        return f"{self.path.name}-wal", f"{self.path.name}-journal"

    def _tried(self, how: str) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(self.path))}?{how}", uri=True, check_same_thread=False)
        try:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE_BYTES)
            connection.text_factory = lambda data: data.decode(errors="replace")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except (sqlite3.DatabaseError, UnicodeDecodeError, MemoryError) as error:
            connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise self._unreadable(error) from error
        return connection

    def _unreadable(self, error: Exception) -> BadSource:
        return BadSource(f"{self.path} is no readable MBTiles file: {reason_of(error)}")


def _holds_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _whole_numbers(values: list[Any]) -> tuple[int, ...] | None:
    """Zoom, column and row as numbers: SQLite lets a column hold text and fractions, too."""
    numbers = []
    for value in values:
        if (isinstance(value, float) and value.is_integer()) or _is_plain(value):
            value = int(value)
        if not isinstance(value, int) or abs(value) >= 1 << 62:
            return None
        numbers.append(value)
    return tuple(numbers)


def _is_plain(value: Any) -> bool:
    """Whether a text is a whole number as SQLite would write it, so that it is found again."""
    return isinstance(value, str) and value.isascii() and value.isdigit() and str(int(value[:20])) == value
