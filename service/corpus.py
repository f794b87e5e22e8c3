"""Pictures of the corpus: any tile by its id, and all of them as one overview in Web Mercator."""

from __future__ import annotations

import io
import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import numpy as np
from PIL import Image

from indexer.index.searchable import SearchableIndex
from indexer.index.tile_index import TileIndex
from indexer.tiles.grid import mercator_m
from indexer.tiles.sources.source import TileImage
from indexer.tiles.tile_table import TileRecord
from model.common.errors import BadImage
from model.common.geo import Bounds
from model.common.images import decode_image

__all__ = ["Corpus", "Overview", "tile_url"]

_SIDE_PX = 1024
_CELLS = 64
"""Along the longer side: a larger corpus shows one tile for each cell."""
_COLOURS = 255
"""Of the overview, beside transparency: a third of the bytes."""
_ON_GRID = re.compile(r"(\d{1,2})/(\d{1,9})/(\d{1,9})")


@dataclass(frozen=True)
class Overview:
    """The whole corpus as one picture.

    Attributes:
        png: encoded, with transparency where no tile lies; rows are even in Web Mercator.
        bounds: that its edges lie on.
    """

    png: bytes
    bounds: Bounds


class Corpus:
    """The pictures behind an index, where its source is still on disk."""

    def __init__(self, index: SearchableIndex) -> None:
        self._index = index if isinstance(index, TileIndex) else None  # a collection of a database holds no pictures
        self._lock = threading.Lock()
        self._overview: Overview | None = None

    def row_of(self, tile_id: str) -> int | None:
        """The row of a tile, or None; None as well where the index has no pictures that could be looked up by it."""
        if self._index is None:
            return None
        if (parts := _ON_GRID.fullmatch(tile_id)) is not None:
            row = self._index.row_of(*(int(part) for part in parts.groups()))
            if row is not None and self._index.tile(row).tile_id == tile_id:
                return row
        return self._index.row_named(tile_id)

    def picture(self, tile_id: str) -> TileImage | None:
        """A tile's picture; None where there is no such tile, or it cannot be read any more."""
        row = self.row_of(tile_id)
        return None if row is None or self._index is None else self._index.image(row)

    @property
    def has_pictures(self) -> bool:
        """Whether the source is on disk."""
        return self._index is not None and self._index.has_pictures

    def overview(self) -> Overview | None:
        """The overview, drawn when it is first asked for; None where no picture can be read."""
        with self._lock:
            if self._overview is None and self._index is not None and self._index.has_pictures:
                self._overview = _draw(self._index)
            return self._overview


def tile_url(tile: TileRecord, root: str) -> str:
    """Where the service gives a tile's picture."""
    if tile.z is not None and tile.x is not None and tile.y is not None:
        return f"{root}/tiles/{tile.z}/{tile.x}/{tile.y}"
    return f"{root}/v1/tile/{quote(tile.tile_id)}"


def _draw(index: TileIndex) -> Overview | None:
    bounds = index.manifest.bounds
    frame = _Frame.of(bounds)
    canvas = Image.new("RGBA", frame.size_px)
    rows, drawn = _chosen_rows(index, frame), 0
    for row in rows:
        picture = _read(index, row)
        if picture is not None:
            box = frame.box_px(index.tile(row).bounds)
            left, top, right, bottom = box if len(rows) == index.count else _cell_around(box)
            size = max(1, right - left), max(1, bottom - top)
            canvas.paste(picture.resize(size, Image.Resampling.BILINEAR), (left, top))
            drawn += 1
    if not drawn:
        return None
    buffer = io.BytesIO()
    canvas.quantize(_COLOURS, Image.Quantize.FASTOCTREE).save(buffer, "PNG", optimize=True)
    return Overview(buffer.getvalue(), bounds)


@dataclass(frozen=True)
class _Frame:
    """A box in Web Mercator and its size in pixels."""

    west_deg: float
    top_m: float
    metres_per_px: float
    size_px: tuple[int, int]

    @classmethod
    def of(cls, bounds: Bounds) -> _Frame:
        top, bottom = _mercator(bounds.north, 0.0)[1], _mercator(bounds.south, 0.0)[1]
        width_m = _mercator(0.0, (bounds.east - bounds.west) % 360.0 or 360.0)[0]
        height_m = top - bottom
        metres_per_px = max(width_m, height_m) / _SIDE_PX
        size = (max(1, round(width_m / metres_per_px)), max(1, round(height_m / metres_per_px)))
        return cls(bounds.west, top, metres_per_px, size)

    def box_px(self, bounds: Bounds) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of a footprint."""
        left, right = (
            _mercator(0.0, (edge - self.west_deg + 1e-9) % 360.0)[0] / self.metres_per_px
            for edge in (bounds.west, bounds.east)
        )
        top, bottom = (
            (self.top_m - _mercator(edge, 0.0)[1]) / self.metres_per_px for edge in (bounds.north, bounds.south)
        )
        return round(left), round(top), round(right), round(bottom)


@lru_cache(maxsize=65_536)
def _mercator(lat: float, lon: float) -> tuple[float, float]:
    x, y = mercator_m(lat, lon)
    return float(x), float(y)


def _chosen_rows(index: TileIndex, frame: _Frame) -> list[int]:
    """All rows, or one for each cell where there are more than can be seen."""
    rows = index.live_rows
    if len(rows) <= _CELLS * _CELLS:
        return [int(row) for row in rows]
    lat, lon = (
        np.concatenate([getattr(one.tiles, name)[one.live_rows] for one in index.segments]) for name in ("lat", "lon")
    )
    lon = (lon - frame.west_deg) % 360.0
    x, _ = mercator_m(np.zeros_like(lon), lon)
    _, y = mercator_m(lat, np.zeros_like(lon))
    cell = np.stack([x, frame.top_m - y]) / (frame.metres_per_px * _SIDE_PX / _CELLS)
    column, row = cell.astype(np.int64)
    _, first = np.unique(row * (_CELLS + 1) + column, return_index=True)
    return [int(row) for row in rows[first]]


def _cell_around(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The cell in which a tile's middle lies: where one tile stands for many, it is drawn over all of them."""
    side = _SIDE_PX // _CELLS
    left, top = (((low + high) // 2 // side) * side for low, high in ((box[0], box[2]), (box[1], box[3])))
    return left, top, left + side, top + side


def _read(index: TileIndex, row: int) -> Image.Image | None:
    found = index.image(row)
    if found is None:
        return None
    try:
        return decode_image(found.data, at_least_px=(64, 64))
    except BadImage:
        return None
