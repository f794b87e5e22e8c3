"""A list of pictures with coordinates: CSV, Parquet or GeoParquet, as researchers have them.

Columns: `path` (relative to the list), and the footprint as `west, south, east, north`, or a GeoParquet geometry, or
`lat, lon` with the side of a tile in metres given beside. A column `tile_id` names the tiles; else their paths do.
"""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.sources.footprints import Edges, checked_boxes, squares
from indexer.tiles.sources.geometries import geometry_column, geometry_extents, require_edges
from indexer.tiles.sources.list_table import ListTable
from indexer.tiles.sources.odd_rows import doubts_of_odd_rows
from indexer.tiles.sources.source import Listing, SourceOptions, inside, read_picture
from indexer.tiles.sources.stamps import state_of
from indexer.tiles.tile_table import TileRecord, TileTable, centres, texts
from model.common.counted import counted

__all__ = ["ManifestSource"]

_EDGES = ("west", "south", "east", "north")
_NOWHERE_DEG = 1e-9
_NO_LAND_DEG = (math.pi / 2, math.pi)
"""Latitude and longitude below which all is sea, in the Gulf of Guinea: every place written in radians lies there."""


class ManifestSource:
    """Pictures listed in a table."""

    kind = "list"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self.path = path
        self._options = options
        self._state = state_of(path)

    @property
    def files_root(self) -> Path:
        """The folder that the list lies in."""
        return self.path.parent

    def describe(self) -> dict[str, Any]:
        """The footprint's side, where the list does not say it, and the box."""
        return {"tile_size_m": self._options.tile_size_m} | self._options.stated_box

    def list_tiles(self) -> Listing:
        """Every row of the list; whether its file exists is seen when it is read, and counted then."""
        self._state = state_of(self.path)
        table = ListTable(self.path)
        if "path" not in table.names:
            raise BadSource(f"{self.path} has no column 'path'; its columns are {', '.join(table.names)}")
        paths = table.texts("path")
        if not paths:
            raise BadSource(f"{self.path} lists no tile")
        names = table.texts("tile_id") if "tile_id" in table.names else paths
        files = [os.path.join(self.path.parent, path) for path in paths]  # noqa: PTH118 (a Path each is slow)
        self._refuse_doubles([os.path.normpath(file) for file in files], "list the same picture", paths)
        self._refuse_doubles(names, "have the same tile_id", names)
        doubts: list[str] = []
        edges = west, south, east, north = self._footprints(table, doubts)
        lat, lon = centres(west, south, east, north)
        off_grid = np.full(len(paths), -1, np.int64)
        sizes, stamps, identities = _file_states(files)
        self._refuse_doubles(identities, "list the same picture through a link", paths)
        tiles = TileTable(
            texts(names), off_grid, off_grid, off_grid, lat, lon, west, south, east, north,
            texts(paths), sizes, stamps,
        )  # fmt: skip
        missing = int((stamps == 0).sum())
        absent = "does not exist, or is no plain file" if missing == 1 else "do not exist, or are no plain files"
        notes = [f"{missing:,} of the listed files {absent}; counted as failed"] if missing else []
        notes += doubts + _doubts_of_place(table, edges)
        return Listing(inside(tiles, self._options, self.path), notes)

    def read(self, tile: TileRecord) -> bytes:
        """The file's bytes."""
        return read_picture(self.files_root, tile.source)

    def changes(self) -> list[str]:
        """The list itself: its rows say which tiles there are, and where."""
        return [] if state_of(self.path)[:2] == self._state[:2] else [f"{self.path} changed"]

    def close(self) -> None:
        """Nothing is held open."""

    def _footprints(self, table: ListTable, doubts: list[str]) -> Edges:
        """Edges before a geometry, and a geometry before a point, because they say more."""
        columns = set(table.names)
        if columns.issuperset(_EDGES):
            west, south, east, north = (table.degrees(name) for name in _EDGES)
            if table.parquet is not None:
                require_edges(table.parquet, np.stack([west, south, east, north], axis=1), self.path)
            return self._boxes((west, south, east, north), doubts)
        geometry = None if table.parquet is None else geometry_column(table.parquet, self.path)
        if geometry is not None and table.parquet is not None:
            west, south, east, north = geometry_extents(table.parquet, geometry, self.path, doubts).T
            return self._boxes((west, south, east, north), doubts)
        if columns.issuperset(("lat", "lon")):
            return squares(table.degrees("lat"), table.degrees("lon"), self._side_m())
        raise BadSource(
            f"{self.path} places no tile: it needs columns lat and lon, or west, south, east and north, or a "
            f"GeoParquet geometry, in degrees; its columns are {', '.join(table.names)}"
        )

    def _boxes(self, edges: Edges, doubts: list[str]) -> Edges:
        """Boxes as they are, with a remark where a side was given for the points among them and there are none."""
        west, south, east, north = edges
        side_m = self._options.tile_size_m
        if side_m is not None and not ((west == east) & (south == north)).any():
            doubts.append(f"every row has a footprint of its own, so --tile-size-m {side_m:g} is not used")
        return checked_boxes(edges, side_m, self.path)

    def _side_m(self) -> float:
        if self._options.tile_size_m is None:
            raise BadSource(
                f"{self.path} gives points, not footprints; say how wide a tile is on the ground with --tile-size-m"
            )
        return self._options.tile_size_m

    def _refuse_doubles(self, keys: Sequence[Hashable], what: str, shown: Sequence[str]) -> None:
        """Two rows for one thing would put it in two places, or let it compete with itself; None is nothing."""
        first: dict[Hashable, int] = {}
        for row, key in enumerate(keys):
            if key is not None and first.setdefault(key, row) != row:
                names = " and ".join(dict.fromkeys((shown[first[key]], shown[row])))
                raise BadSource(f"rows {first[key] + 1} and {row + 1} of {self.path} {what}, {names}; keep one of them")


def _doubts_of_place(table: ListTable, edges: Edges) -> list[str]:
    """Remarks on rows at null island, where files put what has no place, and on points outside of their footprints."""
    west, south, east, north = edges
    lat, lon = centres(west, south, east, north)
    notes = []
    nowhere = (np.abs(lat) < _NOWHERE_DEG) & (np.abs(lon) < _NOWHERE_DEG)
    if nowhere.any() and not nowhere.all():
        notes.append(
            f"warning: {counted(int(nowhere.sum()), 'row', 'lies', 'lie')} at latitude 0, longitude 0 "
            f"(row {np.argmax(nowhere) + 1} the first), as rows without a place often do; leave those out"
        )
    elif not nowhere.any() and (np.abs(lat) <= _NO_LAND_DEG[0]).all() and (np.abs(lon) <= _NO_LAND_DEG[1]).all():
        notes.append(
            f"warning: all rows lie in the sea around latitude 0, longitude 0 (row 1 at {lat[0]:.5f}, {lon[0]:.5f}); "
            "are these radians? Give degrees"
        )
    notes += doubts_of_odd_rows(lat, lon)
    if set(table.names).issuperset(("lat", "lon")):
        lat, lon = table.degrees("lat"), table.degrees("lon")
        across = np.where(west <= east, (west <= lon) & (lon <= east), (west <= lon) | (lon <= east))
        apart = ~(across & (south <= lat) & (lat <= north))
        if apart.any():
            notes.append(
                f"warning: {counted(int(apart.sum()), 'row', 'has', 'have')} lat and lon outside of the footprint (row "
                f"{np.argmax(apart) + 1} the first); the footprint is used"
            )
    return notes


def _file_states(files: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], list[tuple[int, int] | None]]:
    """(bytes, modification time in ns, which file of its disk) of each file; zeros and None where it is missing."""
    states = np.zeros((len(files), 2), np.int64)
    identities: list[tuple[int, int] | None] = []
    for row, file in enumerate(files):
        try:
            stat = os.stat(file)  # noqa: PTH116
        except (OSError, ValueError):
            identities.append(None)
            continue
        if not S_ISREG(stat.st_mode):
            identities.append(None)
            continue
        states[row] = stat.st_size, stat.st_mtime_ns
        identities.append((stat.st_dev, stat.st_ino) if stat.st_ino else None)  # which some network disks do not tell
    return states[:, 0].copy(), states[:, 1].copy(), identities
