"""GeoTIFF, COG and VRT of any reference system, cut into tiles: on the Web Mercator grid, or at a stride in metres.

Several files are one mosaic: where the first has no data, the next one shows. Needs the extra `geo` (rasterio).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.errors import BadSource, TileWithoutData
from indexer.tiles.sources.bands import inspect_raster, render_window
from indexer.tiles.sources.cutting import grid_cover, native_zoom, stride_cover
from indexer.tiles.sources.source import Listing, SourceOptions, inside
from indexer.tiles.tile_table import TileRecord
from model.common.errors import BadImage
from model.inputs.transforms import NEUTRAL

__all__ = ["RasterSource"]

_SUFFIXES = {".tif", ".tiff", ".vrt"}


class RasterSource:
    """One raster file, or all of a folder; one handle a thread and file, because GDAL's are not thread-safe."""

    kind = "raster"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self.path = path
        self._options = options
        root, names = (path, _raster_names(path)) if path.is_dir() else (path.parent, [path.name])
        self._root = root
        self._files = [inspect_raster(root, name, options.bands) for name in names]
        self._local = threading.local()
        self._handles: list[Any] = []
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """How windows are cut and drawn."""
        options = self._options
        return {
            "tile_size_m": options.tile_size_m,
            "stride_m": options.stride_m,
            "tile_px": options.tile_px,
            "min_valid": options.min_valid,
            "bands": None if options.bands is None else list(options.bands),
        }

    def list_tiles(self) -> Listing:
        """Every window that may hold data; only reading shows whether it does."""
        notes = []
        extents = [file.bounds for file in self._files]
        if self._options.tile_size_m is not None:
            table = stride_cover(self._files, self._options)
        else:
            zoom = self._options.zoom
            if zoom is None:
                zoom = native_zoom(min(file.mercator_res_m for file in self._files), self._options.tile_px)
                notes.append(f"zoom {zoom} is indexed, the closest to the raster's own resolution")
            table = grid_cover(self._files, zoom, self._options.bbox)
        if not len(table):
            raise BadSource(f"{self.path} has no tile in the box {self._options.bbox}; it covers {extents}")
        return Listing(inside(table, self._options, self.path), notes)

    def read(self, tile: TileRecord) -> Image.Image:
        """The tile's ground as an RGB picture, mid-grey where no file has data."""
        side = self._options.tile_px
        canvas = np.full((side, side, 3), NEUTRAL, np.uint8)
        filled = np.zeros((side, side), np.bool_)
        for number, file in enumerate(self._files):
            if file.touches(tile.bounds) and not filled.all():
                colours, valid = self._render(number, tile)
                fresh = valid & ~filled
                canvas[fresh] = colours[fresh]
                filled |= valid
        if not filled.any() or filled.mean() < self._options.min_valid:
            raise TileWithoutData(f"{filled.mean():.0%} of tile {tile.tile_id} holds data")
        return Image.fromarray(canvas)

    def close(self) -> None:
        """Close every thread's handles."""
        with self._lock:
            while self._handles:
                self._handles.pop().close()
        self._local = threading.local()

    def _render(self, number: int, tile: TileRecord) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        file = self._files[number]
        try:
            return render_window(self._handle(number), file, tile.bounds, self._options.tile_px)
        except Exception as error:  # GDAL's errors have no common base
            cause = error.__cause__ or error
            raise BadImage(f"the raster cannot be read here: {cause}; is it complete?") from error

    def _handle(self, number: int) -> Any:
        """This thread's open dataset of a file."""
        handles = self._local.__dict__.setdefault("handles", {})
        if number not in handles:
            handles[number] = self._files[number].open(self._root)
            with self._lock:
                self._handles.append(handles[number])
        return handles[number]


def _raster_names(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir() if child.suffix.lower() in _SUFFIXES and child.is_file())
