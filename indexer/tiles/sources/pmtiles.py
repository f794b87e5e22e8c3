"""PMTiles archives of raster tiles (version 3). https://github.com/protomaps/PMTiles"""

from __future__ import annotations

import gzip
import io
import json
import os
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.grid import MAX_ZOOM
from indexer.tiles.hilbert import hilbert_cells, hilbert_keys
from indexer.tiles.sources.claims import Claim, settle_scheme
from indexer.tiles.sources.first_bytes import is_picture
from indexer.tiles.sources.gzipped import LARGEST_TILE_BYTES, unpacked
from indexer.tiles.sources.pmtiles_directory import first_key, read_directory, tile_ids
from indexer.tiles.sources.schemes import AUTO, from_xyz, require_row_scheme, to_xyz
from indexer.tiles.sources.seams import doubt_of_rows
from indexer.tiles.sources.sidecars import metadata_claim
from indexer.tiles.sources.source import Listing, SourceOptions, select
from indexer.tiles.tile_table import TileRecord, grid_table
from model.common.errors import BadImage

__all__ = ["ArchiveBytes", "PMTilesSource"]

_HEADER_BYTES = 127
_USUAL = "xyz"
_UNSAID = "UNKNOWN"
_LARGEST_METADATA_BYTES = 4 << 20
_Ints = NDArray[np.int64]


class ArchiveBytes(Protocol):
    """Where an archive's bytes come from; several threads may read at once.

    Attributes:
        size: of all.
        stamp: changes with the content; 0 where nothing says so.
    """

    size: int
    stamp: int

    def read(self, offset: int, length: int) -> bytes:
        """Some bytes, fewer where the archive ends."""

    def close(self) -> None:
        """Let go of it."""


class _File:
    """An archive on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY)
        stat = os.fstat(self._descriptor)
        self.size, self.stamp = stat.st_size, stat.st_mtime_ns

    def require_current(self) -> None:
        """Make sure that the path still leads to this file, which is read on where another takes its place."""
        if not os.path.samestat(os.fstat(self._descriptor), self._path.stat()):
            raise BadSource(f"{self._path} has been replaced since it was opened; open it again")

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class PMTilesSource:
    """One archive, its directory read once and kept as arrays."""

    kind = "pmtiles"

    def __init__(self, path: Path, options: SourceOptions, archive: ArchiveBytes | None = None) -> None:
        require_row_scheme(options.scheme, path)
        self.path = path
        self._options = options
        self._scheme = options.scheme
        self._bytes = archive or _File(path)
        try:
            self._header = self._read_header()
        except BadSource:
            self.close()
            raise

    def describe(self) -> dict[str, Any]:
        """The scheme of its tile numbers, once listed the one found, and the zooms and the box that were asked for."""
        zoom = self._options.zoom
        return {"scheme": self._scheme} | ({} if zoom is None else {"zoom": zoom}) | self._options.stated_box

    def list_tiles(self) -> Listing:
        """Every tile of the archive's directory."""
        if isinstance(self._bytes, _File):
            self._bytes.require_current()
        keys, _, lengths = self._entries
        if not len(keys):
            raise BadSource(f"{self.path} holds no tile")
        stored = _tiles_of(keys)
        self._scheme, notes = settle_scheme(stored, self._claims(), self._options, self.path, usual=_USUAL)
        table = grid_table(
            to_xyz(stored, self._scheme),
            [self.path.name] * len(keys),
            size_bytes=lengths,
            stamp=np.full(len(keys), self._bytes.stamp, np.int64),
        )
        listing = select(table, self._options, self.path)
        listing.notes.extend(notes)
        listing.notes.extend(self._unsaid_form(listing.table.record(0)))
        listing.notes.extend(doubt_of_rows(listing.table, self._scheme, self._options.scheme, self.read, self.path))
        return listing

    def read(self, tile: TileRecord) -> bytes:
        """The tile's bytes, decompressed if the archive compresses tiles."""
        if tile.z is None or tile.x is None or tile.y is None:
            raise BadImage(f"{tile.tile_id} is no tile of the grid; {self.path} has none but those")
        try:
            keys, offsets, lengths = self._entries
        except BadSource as error:
            raise BadImage(str(error)) from error
        z, x, y = from_xyz(tile.z, tile.x, tile.y, _USUAL if self._scheme == AUTO else self._scheme)
        key = first_key(z) + int(hilbert_keys(x, y, z))
        row = int(np.searchsorted(keys, key))
        if row == len(keys) or keys[row] != key:
            raise BadImage(f"{self.path} does not hold tile {tile.tile_id}")
        start, length = self._header["tile_data_offset"] + int(offsets[row]), int(lengths[row])
        if start + length > self._bytes.size:
            raise BadImage(f"tile {tile.tile_id} reaches beyond the end of {self.path}; is the archive complete?")
        if length > LARGEST_TILE_BYTES:
            raise BadImage(f"tile {tile.tile_id} of {self.path} has {length:,} bytes; no picture of a tile is so large")
        try:
            return unpacked(self._bytes.read(start, length))  # the header is not always right about it
        except ValueError as error:
            raise BadImage(f"tile {tile.tile_id} of {self.path} {error}") from error

    def close(self) -> None:
        """Close the archive."""
        self._bytes.close()

    def _unsaid_form(self, first: TileRecord) -> list[str]:
        """A remark where the header does not say what the tiles are.

        Raises:
            BadSource: the first of them is no picture. One that cannot be read is counted as such later.
        """
        if self._header["tile_type"].name != _UNSAID:
            return []
        try:
            data = self.read(first)
        except BadImage:
            return []
        if not is_picture(data):
            raise BadSource(
                f"{self.path} does not say what its tiles are, and tile {first.tile_id} is no picture (it starts with "
                f"{data[:8]!r}); PNG, JPEG and WebP can be indexed"
            )
        return ["the header does not say what the tiles are; the pictures say it themselves"]

    def _claims(self) -> list[Claim]:
        """Where the header says that the tiles lie, zeros where its writer did not know, and where its metadata do."""
        edges = [self._header[f"{edge}_e7"] / 1e7 for edge in ("min_lon", "min_lat", "max_lon", "max_lat")]
        centre = [self._header[f"center_{axis}_e7"] / 1e7 for axis in ("lon", "lat")]
        header = metadata_claim("the header", {"bounds": edges if any(edges) else None, "center": centre})
        # Converters copy the keys of MBTiles, whose rows are counted otherwise.
        said = {**self._metadata(), "scheme": "", "tiles": None}
        return [header, metadata_claim("the metadata", said)]

    def _metadata(self) -> dict[str, Any]:
        """The JSON document in the archive; empty where it has none that can be read, and no tile needs it."""
        start, length = int(self._header["metadata_offset"]), int(self._header["metadata_length"])
        if not 0 < length <= _LARGEST_METADATA_BYTES or start + length > self._bytes.size:
            return {}
        try:
            data = self._bytes.read(start, length)
            if self._header["internal_compression"].name == "GZIP":
                with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                    data = file.read(_LARGEST_METADATA_BYTES)
            content = json.loads(data)
        except (OSError, EOFError, zlib.error, ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

    def _read_header(self) -> dict[str, Any]:
        from pmtiles.tile import deserialize_header

        data = self._bytes.read(0, _HEADER_BYTES)
        if len(data) < _HEADER_BYTES and data.startswith(b"PMTiles"):
            raise BadSource(f"{self.path} ends after {len(data)} bytes, within its header; fetch it again")
        try:
            header: dict[str, Any] = {**deserialize_header(data)}
        except Exception as error:  # the library raises whatever the bytes provoke
            raise BadSource(f"{self.path} is no PMTiles archive of version 3: {error!r}") from error
        if header["tile_type"].name not in ("PNG", "JPEG", "WEBP", _UNSAID):
            raise BadSource(f"{self.path} holds {header['tile_type'].name} tiles; PNG, JPEG and WebP can be indexed")
        for part in ("internal_compression", "tile_compression"):
            if header[part].name not in ("NONE", "GZIP", "UNKNOWN"):
                raise BadSource(f"{self.path} is compressed with {header[part].name}; none and gzip can be read")
        return header

    @cached_property
    def _entries(self) -> tuple[_Ints, _Ints, _Ints]:
        """(archive tile id, offset, length) of every tile, in ascending order of the id."""
        try:
            rows = read_directory(self._bytes.read, self._bytes.size, self._header)
        except BadSource as error:
            raise BadSource(f"the directory of {self.path} {error}") from error
        except Exception as error:  # the library raises whatever the bytes provoke
            raise BadSource(f"the directory of {self.path} cannot be read: {error!r}; is it complete?") from error
        try:
            return tile_ids(rows, self._header["max_zoom"], self._options.zooms)
        except BadSource as error:
            raise BadSource(f"the directory of {self.path} {error}") from error


def _tiles_of(keys: _Ints) -> _Ints:
    """[N, 3] (z, x, y) of archive tile ids."""
    starts = np.array([first_key(zoom) for zoom in range(MAX_ZOOM + 2)], np.int64)
    zooms = np.searchsorted(starts, keys, side="right") - 1
    tiles = np.empty((len(keys), 3), np.int64)
    tiles[:, 0] = zooms
    for zoom in np.unique(zooms):
        rows = zooms == zoom
        tiles[rows, 1], tiles[rows, 2] = hilbert_cells(keys[rows] - starts[zoom], int(zoom))
    return tiles
