"""Tiles at addresses that follow from their numbers: XYZ and TMS templates, and those of WMTS."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mercantile
import numpy as np

from indexer.common.errors import BadSource
from indexer.tiles.sources.cutting import covered_tiles
from indexer.tiles.sources.remote.fetcher import Fetcher
from indexer.tiles.sources.schemes import AUTO
from indexer.tiles.sources.source import Listing, SourceOptions
from indexer.tiles.sources.stamps import FileState
from indexer.tiles.tile_table import TileRecord, TileTable, grid_table
from model.common.errors import BadImage

__all__ = ["TemplateSource", "is_template"]

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_MEANS = {
    "z": "z", "x": "x", "y": "y", "-y": "-y", "q": "q", "quadkey": "q",
    "tilematrix": "z", "tilecol": "x", "tilerow": "y",
}  # fmt: skip
_MOST_TILES = 10_000_000


def is_template(address: str) -> bool:
    """Whether an address has places for the numbers of a tile."""
    return "{" in address


class TemplateSource:
    """Tiles of some zooms in a box, each fetched from an address of its own."""

    kind = "template"

    def __init__(self, address: str, options: SourceOptions) -> None:
        options.remote.require(address)
        if options.scheme != AUTO:
            raise BadSource(f"{address} says itself how rows count ({{-y}}: from the south); leave --scheme out")
        if options.zooms is None or options.bbox is None:
            raise BadSource(f"{address} does not say which tiles there are; give --zoom and --bbox")
        _check(address)
        self.address = address
        self.path = Path(address)
        self._options = options
        self._fetcher = Fetcher(options.remote)

    def describe(self) -> dict[str, Any]:
        """The zooms, the box, and whom the pictures belong to."""
        options = self._options
        zooms = options.zoom if isinstance(options.zoom, int) else list(options.zooms or ())
        return {"zoom": zooms, **options.stated_box, "attribution": options.remote.attribution}

    def list_tiles(self) -> Listing:
        """Every tile of the zooms that touches the box; reading shows which there are."""
        assert self._options.zooms is not None
        assert self._options.bbox is not None
        zxy = [
            (zoom, x, y)
            for zoom in self._options.zooms
            for x, y in covered_tiles(self._options.bbox, zoom, _MOST_TILES)
        ]
        table = grid_table(np.array(zxy, np.int64), ["/".join(map(str, tile)) for tile in zxy])
        return Listing(table, [f"fetched from {self.address}: {self._options.remote.attribution}"])

    def members(self) -> dict[Path, FileState]:
        """No file."""
        return {}

    def stamped(self, tiles: TileTable, stamp_of: Callable[[Path], int]) -> TileTable:  # noqa: ARG002
        """As they are: what a tile's version is, is known when it is fetched."""
        return tiles

    def read(self, tile: TileRecord) -> bytes:
        """The answer of the tile's address."""
        if tile.z is None or tile.x is None or tile.y is None:
            raise BadImage(f"{tile.tile_id} is no tile of the grid; {self.address} has none but those")
        return self._fetcher.get(address_of(self.address, tile.z, tile.x, tile.y)).data

    def close(self) -> None:
        """Close all connections."""
        self._fetcher.close()


def address_of(template: str, z: int, x: int, y: int) -> str:
    """The address of a tile, whose rows count from the north.

    Example:
        >>> address_of("https://tiles.example/{TileMatrix}/{TileCol}/{-y}.jpg", 2, 1, 0)
        'https://tiles.example/2/1/3.jpg'
    """
    values = {"z": str(z), "x": str(x), "y": str(y), "-y": str((1 << z) - 1 - y), "q": mercantile.quadkey(x, y, z)}
    return _PLACEHOLDER.sub(lambda found: values[_MEANS[found[1].lower()]], template)


def _check(address: str) -> None:
    names = _PLACEHOLDER.findall(address)
    if unknown := [name for name in names if name.lower() not in _MEANS]:
        raise BadSource(
            f"{address} has a place for {{{unknown[0]}}}, which is not known; known are {{z}}, {{x}}, {{y}}, {{-y}}, "
            "{q} and WMTS's {TileMatrix}, {TileCol}, {TileRow}; write out what else there is"
        )
    have = {_MEANS[name.lower()] for name in names}
    if not (have >= {"z", "x", "y"} or have >= {"z", "x", "-y"} or "q" in have):
        raise BadSource(f"{address} does not name each tile: it needs {{z}}, {{x}} and {{y}} (or {{-y}}), or {{q}}")
