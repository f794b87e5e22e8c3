"""The whole corpus as one small picture, for a map that is zoomed out.

Web Mercator, so that a map can lay it between its bounds; transparent where no tile lies.
"""

from __future__ import annotations

import io
import math
import threading

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.index.tile_index import TileIndex
from indexer.tiles.grid import MERCATOR_HALF_M, mercator_m
from model.common.errors import BadImage
from model.common.images import decode_image

__all__ = ["MAX_SIDE_PX", "Overviews", "draw_overview"]

MAX_SIDE_PX = 1024
_MOST_PICTURES = 2048
"""So many tiles are read; of a larger corpus every nth along its curve, drawn over the ground of those that follow."""
_COLOURS = 255
_EDGE_LAT = 85.05

_Floats = NDArray[np.float64]


class Overviews:
    """Draws the overview of an index when it is first asked for, and keeps the one of the last index."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digest = ""
        self._png = b""

    def of(self, index: TileIndex) -> bytes:
        """A PNG; whoever asks while it is drawn waits for it."""
        with self._lock:
            if self._digest != index.digest:
                self._png = draw_overview(index)
                self._digest = index.digest
            return self._png


def draw_overview(index: TileIndex, *, max_side_px: int = MAX_SIDE_PX) -> bytes:
    """A PNG of all tiles between `index.tiles.bounds`.

    Args:
        index: its tiles are read from their source; those that cannot be read stay transparent.
        max_side_px: of the longer side.
    """
    left, top, right, bottom = _boxes(index)
    extent = float(right.max()), float(bottom.max())
    scale = max_side_px / max(extent)
    canvas = Image.new("RGBA", tuple(max(1, math.ceil(scale * side)) for side in extent))  # type: ignore[arg-type]
    rows = np.arange(0, len(left), math.ceil(len(left) / _MOST_PICTURES))
    each = [np.minimum.reduceat(edge, rows) for edge in (left, top)]
    each += [np.maximum.reduceat(edge, rows) for edge in (right, bottom)]
    for row, edges in zip(rows.tolist(), np.rint(scale * np.stack(each, axis=1)).astype(int).tolist(), strict=True):
        _paste(canvas, index, row, edges)
    buffer = io.BytesIO()
    canvas.quantize(_COLOURS, Image.Quantize.FASTOCTREE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _boxes(index: TileIndex) -> tuple[_Floats, _Floats, _Floats, _Floats]:
    """(left, top, right, bottom) of every tile, in projected metres from the corpus's north-western corner."""
    tiles, bounds = index.tiles, index.tiles.bounds
    world = 2 * MERCATOR_HALF_M
    top_m, left_m = mercator_m(min(bounds.north, _EDGE_LAT), bounds.west)[::-1]
    north, west = mercator_m(np.clip(tiles.north, -_EDGE_LAT, _EDGE_LAT), tiles.west)[::-1]
    south, east = mercator_m(np.clip(tiles.south, -_EDGE_LAT, _EDGE_LAT), tiles.east)[::-1]
    left = (west - left_m) % world
    return left, top_m - north, left + (east - west) % world, top_m - south


def _paste(canvas: Image.Image, index: TileIndex, row: int, edges: list[int]) -> None:
    left, top, right, bottom = edges
    size = max(1, right - left), max(1, bottom - top)
    picture = index.image(row)
    if picture is None:
        return
    try:
        decoded = decode_image(picture.data, at_least_px=size)
    except BadImage:
        return
    canvas.paste(decoded.resize(size, Image.Resampling.BOX), (left, top))
