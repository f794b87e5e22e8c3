"""A list of pictures with coordinates: CSV, Parquet or GeoParquet, as researchers have them.

Columns: `path` (relative to the list), and the footprint as `west, south, east, north`, or `lat, lon` with the side of
a tile in metres given beside, or a GeoParquet geometry. A column `tile_id` names the tiles; else their paths do.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.sources.source import Listing, SourceOptions, inside
from indexer.tiles.tile_table import TileRecord, TileTable, centres, texts
from indexer.tiles.wkb import wkb_extent
from model.common.geo import EARTH_RADIUS_M

__all__ = ["ManifestSource"]

_EDGES = ("west", "south", "east", "north")
_LIMITS = {"west": 180.0, "south": 90.0, "east": 180.0, "north": 90.0, "lat": 90.0, "lon": 180.0}
_Floats = NDArray[np.float64]


class ManifestSource:
    """Pictures listed in a table."""

    kind = "list"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self.path = path
        self._options = options

    def describe(self) -> dict[str, Any]:
        """The footprint's side, where the list does not say it."""
        return {"tile_size_m": self._options.tile_size_m}

    def list_tiles(self) -> Listing:
        """Every row of the list; whether its file exists is seen when it is read, and counted then."""
        table = _load(self.path)
        if "path" not in table.column_names:
            raise BadSource(f"{self.path} has no column 'path'; its columns are {', '.join(table.column_names)}")
        paths = _strings(table, "path", self.path)
        if not paths:
            raise BadSource(f"{self.path} lists no tile")
        names = _strings(table, "tile_id", self.path) if "tile_id" in table.column_names else paths
        west, south, east, north = self._footprints(table)
        lat, lon = centres(west, south, east, north)
        off_grid = np.full(len(paths), -1, np.int64)
        sizes, stamps = _file_states(self.path.parent, paths)
        tiles = TileTable(
            texts(names), off_grid, off_grid, off_grid, lat, lon, west, south, east, north,
            texts(paths), sizes, stamps,
        )  # fmt: skip
        missing = int((stamps == 0).sum())
        notes = [f"{missing:,} of the listed files do not exist; they will count as failed"] if missing else []
        return Listing(inside(tiles, self._options, self.path), notes)

    def read(self, tile: TileRecord) -> bytes:
        """The file's bytes."""
        return (self.path.parent / tile.source).read_bytes()

    def close(self) -> None:
        """Nothing is held open."""

    def _footprints(self, table: pa.Table) -> tuple[_Floats, _Floats, _Floats, _Floats]:
        columns = set(table.column_names)
        if columns.issuperset(_EDGES):
            west, south, east, north = (_degrees(table, name, self.path) for name in _EDGES)
            if (south > north).any():
                row = int(np.argmax(south > north))
                raise BadSource(f"row {row + 1} of {self.path} has south {south[row]} above north {north[row]}")
            return west, south, east, north
        if columns.issuperset(("lat", "lon")):
            lat, lon = _degrees(table, "lat", self.path), _degrees(table, "lon", self.path)
            return _squares(lat, lon, self._side_m())
        if "geometry" in columns:
            return self._from_geometry(table)
        raise BadSource(
            f"{self.path} places no tile: it needs columns lat and lon, or west, south, east and north, or a "
            f"GeoParquet geometry, in degrees; its columns are {', '.join(table.column_names)}"
        )

    def _from_geometry(self, table: pa.Table) -> tuple[_Floats, _Floats, _Floats, _Floats]:
        _require_degrees(table, self.path)
        extents = np.array([wkb_extent(shape or b"") for shape in table["geometry"].to_pylist()], np.float64)
        west, south, east, north = extents.T
        for name, edge in zip(_EDGES, (west, south, east, north), strict=True):
            _check_range(edge, name, self.path)
        if (west == east).all() and (south == north).all():
            return _squares(south, west, self._side_m())
        return west, south, east, north

    def _side_m(self) -> float:
        if self._options.tile_size_m is None:
            raise BadSource(
                f"{self.path} gives points, not footprints; say how wide a tile is on the ground with --tile-size-m"
            )
        return self._options.tile_size_m


def _load(path: Path) -> pa.Table:
    import pyarrow.csv
    import pyarrow.parquet

    try:
        with path.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
        return pyarrow.parquet.read_table(path) if parquet else pyarrow.csv.read_csv(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadSource(f"{path} cannot be read as CSV or Parquet: {error}") from error


def _strings(table: pa.Table, name: str, path: Path) -> list[str]:
    values = table[name].cast(pa.string()).to_pylist()
    if not all(values):
        row = next(number for number, value in enumerate(values, start=1) if not value)
        raise BadSource(f"row {row} of {path} has no {name}")
    return [str(value) for value in values]


def _degrees(table: pa.Table, name: str, path: Path) -> _Floats:
    try:
        values: _Floats = table[name].cast(pa.float64()).to_numpy()
    except pa.ArrowException as error:
        raise BadSource(f"column {name} of {path} is not made of numbers in degrees: {error}") from error
    _check_range(values, name, path)
    return values


def _check_range(values: _Floats, name: str, path: Path) -> None:
    wrong = ~(np.abs(values) <= _LIMITS[name])  # true for NaN
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadSource(
            f"row {row + 1} of {path} has {name} {values[row]}, beyond {_LIMITS[name]:g} degrees; "
            "are latitude and longitude swapped, or the coordinates not WGS 84 degrees?"
        )


def _squares(lat: _Floats, lon: _Floats, side_m: float) -> tuple[_Floats, _Floats, _Floats, _Floats]:
    """Footprints of some metres a side around centres."""
    half = math.degrees(side_m / EARTH_RADIUS_M) / 2
    across = np.minimum(half / np.maximum(np.cos(np.radians(lat)), 1e-9), 180.0)
    west, east = lon - across, lon + across
    west, east = np.where(west < -180.0, west + 360.0, west), np.where(east > 180.0, east - 360.0, east)
    return west, np.maximum(lat - half, -90.0), east, np.minimum(lat + half, 90.0)


def _require_degrees(table: pa.Table, path: Path) -> None:
    """Refuse GeoParquet in another reference system than longitude and latitude on WGS 84."""
    metadata = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
    crs = metadata.get("columns", {}).get("geometry", {}).get("crs", {"id": {"code": "CRS84"}})
    code = str((crs or {}).get("id", {}).get("code", "unknown"))
    if code not in ("CRS84", "4326"):
        raise BadSource(f"{path} has geometries in reference system {code}; transform them to EPSG:4326 first")


def _file_states(root: Path, paths: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(bytes, modification time in ns) of each file, zeros where it is missing."""
    states = np.zeros((len(paths), 2), np.int64)
    for row, name in enumerate(paths):
        try:
            stat = (root / name).stat()
        except (OSError, ValueError):
            continue
        states[row] = stat.st_size, stat.st_mtime_ns
    return states[:, 0].copy(), states[:, 1].copy()
