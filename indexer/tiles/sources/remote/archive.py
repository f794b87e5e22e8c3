"""A PMTiles archive at an address, of which only the directory and the tiles that are wanted are fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.common.errors import BadSource, TileWithoutData
from indexer.tiles.sources.pmtiles import PMTilesSource
from indexer.tiles.sources.remote.fetcher import Fetcher
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.stamps import FileState, combined
from indexer.tiles.tile_table import TileTable

__all__ = ["RemoteArchive"]

_FIRST_BYTES = 16_384
"""Header and root directory of every archive lie in these."""


class _Parts:
    """Parts of an address as of a file, all of one version."""

    def __init__(self, address: str, fetcher: Fetcher) -> None:
        self.address = address
        self.fetcher = fetcher
        try:
            first = fetcher.get_part(address, 0, _FIRST_BYTES)
        except (TileWithoutData, OSError) as error:
            fetcher.close()
            raise BadSource(f"{address} cannot be read: {error}") from error
        except BadSource:
            fetcher.close()
            raise
        self.version = first.etag
        self.size = first.total
        self.stamp = combined([_number(first.etag), first.total]) if first.etag else 0
        self._first = first.data

    def read(self, offset: int, length: int) -> bytes:
        """Some bytes, fewer where the archive ends."""
        length = min(length, self.size - offset)
        if offset + length <= len(self._first):
            return self._first[offset : offset + max(0, length)]
        if length <= 0:
            return b""
        try:
            return self.fetcher.get_part(self.address, offset, length, etag=self.version).data
        except TileWithoutData as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        """Close all connections."""
        self.fetcher.close()


class RemoteArchive(PMTilesSource):
    """One archive at an address."""

    def __init__(self, address: str, options: SourceOptions) -> None:
        options.remote.require(address)
        self.address = address
        super().__init__(Path(address), options, _Parts(address, Fetcher(options.remote)))

    def describe(self) -> dict[str, Any]:
        """As of one on disk, and whom it belongs to."""
        return super().describe() | {"attribution": self._options.remote.attribution}

    def members(self) -> dict[Path, FileState]:
        """No file; a new version is noticed at every request."""
        return {}

    def stamped(self, tiles: TileTable, stamp_of: Callable[[Path], int]) -> TileTable:  # noqa: ARG002
        """Each tile with the version of the archive."""
        return replace(tiles, stamp=np.full(len(tiles), self._bytes.stamp, np.int64))


def _number(text: str) -> int:
    return int.from_bytes(text.encode()[:64], "little")
