"""PMTiles archives of raster tiles (version 3). https://github.com/protomaps/PMTiles"""

from __future__ import annotations

import gzip
import os
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM
from indexer.tiles.hilbert import hilbert_cells, hilbert_keys
from indexer.tiles.sources.source import Listing, SourceOptions, select
from indexer.tiles.tile_table import TileRecord, grid_table
from model.common.errors import BadImage

__all__ = ["PMTilesSource"]

_HEADER_BYTES = 127
_MAX_DEPTH = 4
_Ints = NDArray[np.int64]


class PMTilesSource:
    """One archive, its directory read once and kept as arrays."""

    kind = "pmtiles"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self.path = path
        self._options = options
        self._descriptor = os.open(path, os.O_RDONLY)
        self._stat = os.fstat(self._descriptor)
        self._header = self._read_header()

    def describe(self) -> dict[str, Any]:
        """Nothing beside the path: the archive says it all."""
        return {}

    def list_tiles(self) -> Listing:
        """Every tile of the archive's directory."""
        keys, _, lengths = self._entries
        if not len(keys):
            raise BadSource(f"{self.path} holds no tile")
        table = grid_table(
            _tiles_of(keys),
            [self.path.name] * len(keys),
            size_bytes=lengths,
            stamp=np.full(len(keys), self._stat.st_mtime_ns, np.int64),
        )
        return select(table, self._options, self.path)

    def read(self, tile: TileRecord) -> bytes:
        """The tile's bytes, decompressed if the archive compresses tiles."""
        keys, offsets, lengths = self._entries
        if tile.z is None or tile.x is None or tile.y is None:
            raise BadImage(f"{tile.tile_id} is no tile of the grid; {self.path} has none but those")
        key = _first_key(tile.z) + int(hilbert_keys(tile.x, tile.y, tile.z))
        row = int(np.searchsorted(keys, key))
        if row == len(keys) or keys[row] != key:
            raise BadImage(f"{self.path} does not hold tile {tile.tile_id}")
        data = os.pread(self._descriptor, int(lengths[row]), self._header["tile_data_offset"] + int(offsets[row]))
        if len(data) < lengths[row]:
            raise BadImage(f"tile {tile.tile_id} reaches beyond the end of {self.path}; is the archive complete?")
        if self._header["tile_compression"].name != "GZIP":
            return data
        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:  # gzip has no error of its own for every damage
            raise BadImage(f"tile {tile.tile_id} of {self.path} cannot be decompressed: {error}") from error

    def close(self) -> None:
        """Close the archive."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read_header(self) -> dict[str, Any]:
        from pmtiles.tile import deserialize_header

        try:
            header: dict[str, Any] = {**deserialize_header(os.pread(self._descriptor, _HEADER_BYTES, 0))}
        except Exception as error:  # the library raises whatever the bytes provoke
            raise BadSource(f"{self.path} is no PMTiles archive of version 3: {error!r}") from error
        if header["tile_type"].name not in ("PNG", "JPEG", "WEBP"):
            raise BadSource(f"{self.path} holds {header['tile_type'].name} tiles; PNG, JPEG and WebP can be indexed")
        for part in ("internal_compression", "tile_compression"):
            if header[part].name not in ("NONE", "GZIP", "UNKNOWN"):
                raise BadSource(f"{self.path} is compressed with {header[part].name}; none and gzip can be read")
        return header

    @cached_property
    def _entries(self) -> tuple[_Ints, _Ints, _Ints]:
        """(archive tile id, offset, length) of every tile, in ascending order of the id."""
        header = self._header
        try:
            rows = self._walk(header["root_offset"], header["root_length"], depth=0)
        except Exception as error:  # the library raises whatever the bytes provoke
            raise BadSource(f"the directory of {self.path} cannot be read: {error!r}; is it complete?") from error
        table = np.array(rows, np.int64).reshape(-1, 4)
        runs = table[:, 1]
        keys = np.repeat(table[:, 0], runs) + np.arange(runs.sum()) - np.repeat(np.cumsum(runs) - runs, runs)
        order = np.argsort(keys, kind="stable")
        offsets, lengths = np.repeat(table[:, 2], runs), np.repeat(table[:, 3], runs)
        shallow = keys[order] < _first_key(MAX_ZOOM + 1)
        return keys[order][shallow], offsets[order][shallow], lengths[order][shallow]

    def _walk(self, offset: int, length: int, depth: int) -> list[tuple[int, int, int, int]]:
        """(archive tile id, run, offset, length) of a directory and of those below it."""
        from pmtiles.tile import deserialize_directory

        if depth > _MAX_DEPTH:
            raise ValueError("directories are nested too deep")
        data = os.pread(self._descriptor, length, offset)
        if self._header["internal_compression"].name == "NONE":
            data = gzip.compress(data, compresslevel=0)  # the library always decompresses
        rows: list[tuple[int, int, int, int]] = []
        for entry in deserialize_directory(data):
            if entry.run_length > 0:
                rows.append((entry.tile_id, entry.run_length, entry.offset, entry.length))
            else:
                leaf = self._header["leaf_directory_offset"] + entry.offset
                rows += self._walk(leaf, entry.length, depth + 1)
        return rows


def _first_key(zoom: int) -> int:
    """Archive id of the first tile of a zoom: the tiles of all lower zooms come before."""
    return ((1 << (2 * zoom)) - 1) // 3


def _tiles_of(keys: _Ints) -> _Ints:
    """[N, 3] (z, x, y) of archive tile ids."""
    starts = np.array([_first_key(zoom) for zoom in range(MAX_ZOOM + 2)], np.int64)
    zooms = np.searchsorted(starts, keys, side="right") - 1
    tiles = np.empty((len(keys), 3), np.int64)
    tiles[:, 0] = zooms
    for zoom in np.unique(zooms):
        rows = zooms == zoom
        tiles[rows, 1], tiles[rows, 2] = hilbert_cells(keys[rows] - starts[zoom], int(zoom))
    return tiles
