"""Any tile source as one picture, out of which a square around any place can be cut."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.errors import TileWithoutData
from indexer.tiles.grid import MERCATOR_HALF_M, mercator_m
from indexer.tiles.sources.source import TileSource
from indexer.tiles.tile_table import TileRecord, TileTable
from model.common.errors import BadImage
from model.common.geo import EARTH_RADIUS_M, LatLon
from model.common.images import decode_image
from model.inputs.transforms import NEUTRAL

__all__ = ["Cut", "Mosaic"]

_KEPT = 32
"""Decoded tiles held at once; photos that come in the order of a space-filling curve share most of them."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cut:
    """A square of the mosaic.

    Attributes:
        picture: RGB, north up; neutral where no tile shows anything.
        covered: share of it that tiles show.
    """

    picture: Image.Image
    covered: float


class Mosaic:
    """The tiles of a source side by side. Squares are squares of the Web Mercator map, as tiles of the grid are."""

    def __init__(self, source: TileSource) -> None:
        """Lists the tiles; pictures are read when a square needs them.

        Raises:
            BadSource: there is no tile, or the source is damaged.
        """
        self._source = source
        listing = source.list_tiles()
        table = listing.table
        self.notes = listing.notes
        self.table: TileTable = table.take(np.argsort(table.lat, kind="stable"))
        self._half_lat = float((self.table.north - self.table.south).max()) / 2
        self._decoded: OrderedDict[int, Image.Image | None] = OrderedDict()

    def tile_at(self, place: LatLon) -> int | None:
        """The row of the tile whose centre is nearest to a place, among those that show it; None where none does."""
        rows = self.tiles_showing(place)
        return int(rows[0]) if len(rows) else None

    def tiles_showing(self, place: LatLon, reach: float = 0.0) -> NDArray[np.int64]:
        """Rows of the tiles that show a place, or lie within so many of their own sides of it; the nearest first."""
        first, last = self._band(place, self._half_lat * (1.0 + 2.0 * reach))
        west, south, east, north = self._edges_m(first, last, place)
        wide, high = (east - west) * reach, (north - south) * reach
        shown = (west - wide <= 0) & (east + wide >= 0) & (south - high <= 0) & (north + high >= 0)
        middle = np.maximum(abs(west + east), abs(south + north))
        rows = np.flatnonzero(shown)
        return first + rows[np.argsort(middle[rows], kind="stable")]

    def side_m(self, row: int) -> float:
        """Side of a tile on the map, in metres of EPSG:3857."""
        south, north = mercator_m([self.table.south[row], self.table.north[row]], [0.0, 0.0])[1]
        return float(north - south)

    def ground_m(self, row: int) -> float:
        """Side of the ground that a tile shows, in metres."""
        return float(np.radians(self.table.north[row] - self.table.south[row]) * EARTH_RADIUS_M)

    def picture(self, row: int) -> Image.Image | None:
        """A tile, decoded; None where it is damaged or without data."""
        if row in self._decoded:
            self._decoded.move_to_end(row)
            return self._decoded[row]
        read = self._read(self.table.record(row))
        self._decoded[row] = read
        while len(self._decoded) > _KEPT:
            self._decoded.popitem(last=False)
        return read

    def cut(self, centre: LatLon, side_m: float, side_px: int) -> Cut:
        """The square of so many map metres around a place, at so many pixels a side."""
        half_deg = float(np.degrees(side_m / MERCATOR_HALF_M * np.pi)) / 2  # no less than it is at any latitude
        first, last = self._band(centre, self._half_lat + half_deg)
        edges = np.stack(self._edges_m(first, last, centre), axis=1)
        boxes = (edges * [1, -1, 1, -1] / side_m + 0.5) * side_px  # left, bottom, right, top
        rows = np.flatnonzero((boxes[:, [0, 3]] < side_px).all(axis=1) & (boxes[:, [2, 1]] > 0).all(axis=1))
        canvas = Image.new("RGB", (side_px, side_px), (NEUTRAL,) * 3)
        filled = np.zeros((side_px, side_px), np.bool_)
        away = abs(edges[rows].reshape(-1, 2, 2).sum(axis=1)).max(axis=1)
        for row in rows[np.argsort(-away, kind="stable")]:  # where tiles overlap, the nearest one shows
            self._paste(canvas, filled, int(first + row), np.rint(boxes[row]).astype(np.int64))
        return Cut(canvas, float(filled.mean()))

    def _paste(self, canvas: Image.Image, filled: NDArray[np.bool_], row: int, box: NDArray[np.int64]) -> None:
        left, bottom, right, top = (int(edge) for edge in box)
        picture = self.picture(row)
        if picture is None or right <= left or bottom <= top:
            return
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, canvas.width), min(bottom, canvas.height)
        if x0 >= x1 or y0 >= y1:
            return
        across, down = picture.width / (right - left), picture.height / (bottom - top)
        part = ((x0 - left) * across, (y0 - top) * down, (x1 - left) * across, (y1 - top) * down)
        canvas.paste(picture.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=part), (x0, y0))
        filled[y0:y1, x0:x1] = True

    def _band(self, place: LatLon, reach_deg: float) -> tuple[int, int]:
        """First and last row of tiles whose centres are that near in latitude."""
        lat = self.table.lat
        low, high = np.searchsorted(lat, place.lat - reach_deg), np.searchsorted(lat, place.lat + reach_deg, "right")
        return int(low), int(high)

    def _edges_m(self, first: int, last: int, place: LatLon) -> tuple[_Floats, _Floats, _Floats, _Floats]:
        """(west, south, east, north) of tiles from a place, in metres of EPSG:3857."""
        table, rows = self.table, slice(first, last)
        y = mercator_m(place.lat, place.lon)[1]
        west, east = table.west[rows], table.east[rows]
        width = np.where(east >= west, east - west, east - west + 360.0)
        turned = (west + width / 2 - place.lon + 180.0) % 360.0 - 180.0  # the short way round to the tile's middle
        south, north = (mercator_m(edge[rows], np.zeros(last - first))[1] - y for edge in (table.south, table.north))
        to_m = MERCATOR_HALF_M / 180.0
        return (turned - width / 2) * to_m, south, (turned + width / 2) * to_m, north

    def _read(self, tile: TileRecord) -> Image.Image | None:
        try:
            read = self._source.read(tile)
            return read if isinstance(read, Image.Image) else decode_image(read)
        except (BadImage, TileWithoutData, OSError):
            return None
