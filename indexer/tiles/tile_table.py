"""Tiles as values: one record, and a table of many whose columns are arrays. WGS 84 degrees throughout."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from indexer.tiles.grid import curve_keys_of_points, curve_keys_of_tiles, tile_bounds
from indexer.tiles.names import Texts, grid_tile_id, joined_texts, texts
from model.common.geo import Bounds, LatLon, normal_lon

__all__ = [
    "TileRecord",
    "TileTable",
    "centres",
    "grid_table",
    "grid_tile_id",
    "joined_tables",
    "narrowest_span",
    "point_in_tile",
    "texts",
]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TileRecord:
    """One tile: its name, its place on the grid where it has one, its ground, and the file it comes from.

    Attributes:
        tile_id: unique within a source; "z/x/y" for a tile of the Web Mercator grid.
        z: zoom, or None off the grid; likewise `x` eastwards and `y` southwards (XYZ, not TMS).
        lat: of the centre.
        lon: of the centre.
        bounds: footprint.
        source: path relative to the source's root.
        date: when its picture was taken, as YYYY-MM-DD, where that was said.
    """

    tile_id: str
    z: int | None
    x: int | None
    y: int | None
    lat: float
    lon: float
    bounds: Bounds
    source: str
    date: str | None = None

    @property
    def dated_name(self) -> str:
        """Its name, and the day of its picture where that was said, for people."""
        return self.tile_id if self.date is None else f"{self.tile_id} of {self.date}"


def point_in_tile(
    centre: tuple[float, float],
    edges: tuple[float, float, float, float],
    anchor: tuple[float, float],
    shift: tuple[float, float] = (0.0, 0.0),
) -> LatLon:
    """Where a point of a tile lies on the ground.

    Plain numbers go in, since an answer asks for dozens of points.

    Args:
        centre: latitude and longitude in degrees.
        edges: west, south, east, north in degrees.
        anchor: (east, south) of the centre in shares of the side.
        shift: what is added to it.
    """
    west, south, east, north = edges
    east_deg = (anchor[0] + shift[0]) * ((east - west) % 360.0)
    return LatLon(centre[0] - (anchor[1] + shift[1]) * (north - south), normal_lon(centre[1] + east_deg))


@dataclass(frozen=True)
class TileTable:
    """Many tiles, one array a column, all of one length.

    Attributes:
        tile_id: str.
        z: whole numbers, int64 where nothing else is said, -1 off the grid; likewise x and y.
        lat: float64 degrees of the centre; likewise lon and the four edges.
        source: str, path relative to the source's root.
        size_bytes: int64 of encoded data, 0 where not known.
        stamp: int64 that changes when the tile's file does (modification time in ns).
    """

    tile_id: Texts
    z: _Ints
    x: _Ints
    y: _Ints
    lat: _Floats
    lon: _Floats
    west: _Floats
    south: _Floats
    east: _Floats
    north: _Floats
    source: Texts
    size_bytes: _Ints
    stamp: _Ints

    def __len__(self) -> int:
        return len(self.lat)

    def record(self, row: int) -> TileRecord:
        """The tile in a row."""
        on_grid = self.z[row] >= 0
        z, x, y = (int(axis[row]) if on_grid else None for axis in (self.z, self.x, self.y))
        edges = (float(edge[row]) for edge in (self.west, self.south, self.east, self.north))
        lat, lon = float(self.lat[row]), float(self.lon[row])
        return TileRecord(str(self.tile_id[row]), z, x, y, lat, lon, Bounds(*edges), str(self.source[row]))

    def take(self, rows: _Ints | NDArray[np.bool_]) -> TileTable:
        """The tiles of some rows, in that order."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @cached_property
    def curve_keys(self) -> _Ints:
        """Place of each tile's centre on the space-filling curve."""
        keys = curve_keys_of_points(self.lat, self.lon)
        on_grid = self.z >= 0
        keys[on_grid] = curve_keys_of_tiles(self.z[on_grid], self.x[on_grid], self.y[on_grid])
        return keys

    @cached_property
    def bounds(self) -> Bounds:
        """A box around all tiles; it crosses the antimeridian where that makes it narrower."""
        south, north = float(self.south.min()), float(self.north.max())
        west, east = narrowest_span(self.west, self.east)
        return Bounds(west, south, east, north)

    def digest(self) -> str:
        """SHA-256 over every column, stamps and sizes included."""
        state = hashlib.sha256()
        for field in fields(self):
            column = getattr(self, field.name)
            text = field.name in ("tile_id", "source")
            data = "\0".join(column.tolist()).encode() if text else column.tobytes()
            state.update(f"{field.name}:{len(data)}:".encode() + data)
        return state.hexdigest()


def grid_table(
    zxy: _Ints, source: Sequence[str], *, size_bytes: _Ints | None = None, stamp: _Ints | None = None
) -> TileTable:
    """A table of tiles of the Web Mercator grid, from [N, 3] (z, x, y)."""
    z, x, y = zxy.reshape(-1, 3).T.copy()
    west, south, east, north = tile_bounds(z, x, y)
    names = [grid_tile_id(*tile) for tile in zxy.reshape(-1, 3).tolist()]
    zeros = np.zeros(len(z), np.int64)
    lat, lon = (south + north) / 2, (west + east) / 2
    return TileTable(
        texts(names), z, x, y, lat, lon, west, south, east, north, texts(source),
        zeros if size_bytes is None else size_bytes, zeros if stamp is None else stamp,
    )  # fmt: skip


def joined_tables(tables: Sequence[TileTable]) -> TileTable:
    """The rows of some tables, one after another; a single one is given back as it is."""
    if len(tables) == 1:
        return tables[0]
    numbers = [field.name for field in fields(TileTable) if field.name not in ("tile_id", "source")]
    return TileTable(
        tile_id=joined_texts([one.tile_id for one in tables]),
        source=joined_texts([one.source for one in tables]),
        **{name: np.concatenate([getattr(one, name) for one in tables]) for name in numbers},
    )


def centres(west: _Floats, south: _Floats, east: _Floats, north: _Floats) -> tuple[_Floats, _Floats]:
    """(lat, lon) of the middle of boxes in degrees, `west > east` crossing the antimeridian."""
    middle = west + np.where(east >= west, east - west, east - west + 360.0) / 2
    return (south + north) / 2, np.where(middle > 180.0, middle - 360.0, middle)


def narrowest_span(west: _Floats, east: _Floats) -> tuple[float, float]:
    """(west, east) of the smallest arc of longitude that holds all arcs."""
    if np.any(west > east):
        return _span_by_gaps(west, east)
    plain = float(west.min()), float(east.max())
    return plain if plain[1] - plain[0] <= 180.0 else _span_by_gaps(west, east)


def _span_by_gaps(west: _Floats, east: _Floats) -> tuple[float, float]:
    """The arc left when the widest gap between arcs is taken out of the circle."""
    order = np.argsort(west)
    start = west[order]
    end = start + np.where(east >= west, east - west, east - west + 360.0)[order]
    reach = np.maximum.accumulate(end)
    gaps = np.append(start[1:], start[0] + 360.0) - np.maximum(reach, reach[-1] - 360.0)
    widest = int(np.argmax(gaps))
    if gaps[widest] <= 0:
        return -180.0, 180.0
    return float(start[(widest + 1) % len(start)]), normal_lon(float(reach[widest]))
