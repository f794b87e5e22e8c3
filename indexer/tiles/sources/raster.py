"""GeoTIFF, COG and VRT of any reference system, cut into tiles: on the Web Mercator grid, or at a stride in metres.

Several files are one mosaic: where the first has no data, the next one shows, and all share one scale of values. Tiles
of the grid are drawn in blocks, from which neighbours are cut. Needs the extra `geo` (rasterio).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.errors import BadSource, TileWithoutData
from indexer.tiles.grid import tile_bounds
from indexer.tiles.region import BoxRegion
from indexer.tiles.sources.bands import RasterFile, inspect_raster, remarks_on
from indexer.tiles.sources.colours import Sample, scaled_alike, units_agree
from indexer.tiles.sources.cutting import grid_cover, native_zoom, stride_cover
from indexer.tiles.sources.far_files import far_files
from indexer.tiles.sources.filling import least_share
from indexer.tiles.sources.likeness import unlike_files
from indexer.tiles.sources.overlap import hidden_files
from indexer.tiles.sources.scanning import files_below, time_of
from indexer.tiles.sources.source import Listing, SourceOptions, inside
from indexer.tiles.sources.stamps import FileState, combined, raster_members
from indexer.tiles.sources.windows import boxes_of, draw
from indexer.tiles.tile_table import TileRecord, TileTable, joined_tables
from model.common.counted import counted
from model.common.errors import BadImage
from model.common.geo import Bounds
from model.inputs.transforms import NEUTRAL

__all__ = ["RasterSource"]

_SUFFIXES = {".tif", ".tiff", ".vrt"}
_BLOCK_PX = 1024
"""Side of a block of tiles drawn at once; one takes 4 MB."""
_BLOCKS_KEPT = 16
_BAD_SHOWN = 20
_MIX = 6364136223846793005
"""An odd factor (Knuth's), so that the order of files counts."""

_Drawn = tuple[NDArray[np.uint8], NDArray[np.bool_]]


class RasterSource:
    """One raster file, or all of a folder; one handle a thread and file, because GDAL's are not thread-safe."""

    kind = "raster"

    def __init__(self, path: Path, options: SourceOptions, files: list[str] | None = None) -> None:
        self.path = path
        self._options = options
        if files is not None:  # from the root of all files, as GDAL's own file systems are named
            self._root, names = Path("/"), files
        else:
            self._root, names = (path, _raster_names(path)) if path.is_dir() else (path.parent, [path.name])
        self._names = frozenset(names)
        self._folders = {folder: time_of(folder) for folder in {(self._root / name).parent for name in names}}
        self._files, self._notes = _open_all(self._root, names, options)
        self._notes += _left_below(path) if path.is_dir() else []
        self._local = threading.local()
        self._handles: list[Any] = []
        self._lock = threading.Lock()
        self._blocks: dict[tuple[int, int, int], Future[_Drawn]] = {}
        self._least: dict[int, float] = {}

    def describe(self) -> dict[str, Any]:
        """How windows are cut and drawn."""
        options = self._options
        stated = {
            "tile_size_m": options.tile_size_m,
            "stride_m": options.stride_m,
            "tile_px": options.tile_px,
            "min_valid": options.min_valid,
            "bands": None if options.bands is None else list(options.bands),
        }
        stated |= {} if options.nodata is None else {"nodata": options.nodata}
        return stated | ({"skip_bad": True} if options.skip_bad else {}) | options.stated_box

    def list_tiles(self) -> Listing:
        """Every window that may hold data; only reading shows whether it does."""
        notes = list(self._notes)
        if self._options.tile_size_m is not None:
            table = stride_cover(self._files, self._options)
        else:
            zooms = self._options.zooms
            if zooms is None:
                zooms = (native_zoom(min(file.mercator_res_m for file in self._files), self._options.tile_px),)
                notes.append(f"zoom {zooms[0]} is indexed, the closest to the raster's own resolution")
            table = joined_tables([grid_cover(self._files, zoom, self._options.bbox) for zoom in zooms])
            notes += [note for zoom in zooms for note in self._hard_to_fill(zoom)]
        if not len(table):
            extents = [file.bounds for file in self._files[:_BAD_SHOWN]]
            raise BadSource(f"{self.path} has no tile in the box {self._options.bbox}; it covers {extents}")
        return Listing(inside(table, self._options, self.path), notes)

    def members(self) -> dict[Path, FileState]:
        """Every file that pixels are read from, and where others would lie that change how they are read."""
        return {path: state for file in self._files for path, state in file.members.items()}

    def changes(self) -> list[str]:
        """Rasters that were put into the folder since it was opened, and files beside one that GDAL reads with it."""
        names = _raster_names(self.path) if self._root == self.path else []  # not of one file, or those of a list
        added = [self.path / name for name in names if name not in self._names]
        if not added and any(time_of(folder) != time_ns for folder, time_ns in self._folders.items()):
            for file in self._files:
                added += [one for one in raster_members(self._root / file.name) if one not in file.members]
        return [f"{path} was added" for path in added]

    def stamped(self, tiles: TileTable, stamp_of: Callable[[Path], int]) -> TileTable:
        """Each tile with a stamp of all files that reach into it, and of the scale of their values."""
        scale = combined(end for file in self._files for end in file.colours.value_range or ())
        stamps = np.full(len(tiles), scale, np.int64)
        boxes = tiles.west, tiles.south, tiles.east, tiles.north
        with np.errstate(over="ignore"):
            for file in self._files:
                mask = BoxRegion(file.bounds).mask(*boxes)
                stamp = combined(stamp_of(path) for path in file.members)
                stamps[mask] = stamps[mask] * np.int64(_MIX) + np.int64(stamp)
        return replace(tiles, stamp=stamps)

    def read(self, tile: TileRecord) -> Image.Image:
        """The tile's ground as an RGB picture, mid-grey where no file has data."""
        canvas, filled = self._draw_tile(tile)
        if not filled.any() or filled.mean() < self._least_share(tile.z):
            raise TileWithoutData(f"{filled.mean():.0%} of tile {tile.tile_id} holds data")
        return Image.fromarray(canvas)

    def close(self) -> None:
        """Close every thread's handles."""
        with self._lock:
            while self._handles:
                self._handles.pop().close()
            self._blocks.clear()
        self._local = threading.local()

    def _hard_to_fill(self, zoom: int) -> list[str]:
        least = self._least_share(zoom)
        if least >= self._options.min_valid:
            return []
        return [
            f"warning: no tile of zoom {zoom} can be filled to {self._options.min_valid:.0%}, so tiles of "
            f"which {least:.0%} hold data are taken; a deeper --zoom cuts smaller tiles"
        ]

    def _least_share(self, zoom: int | None) -> float:
        """Share of a tile that must hold data."""
        if zoom is None:
            return self._options.min_valid
        if zoom not in self._least:
            self._least[zoom] = least_share(self._files, zoom, self._options.min_valid)
        return self._least[zoom]

    def _draw_tile(self, tile: TileRecord) -> _Drawn:
        side = self._options.tile_px
        if tile.z is None or tile.x is None or tile.y is None:
            return self._draw(tile.bounds, side)
        across = min(max(1, _BLOCK_PX // side), 1 << tile.z)
        column, row = tile.x % across * side, tile.y % across * side
        try:
            canvas, filled = self._block(tile.z, tile.x // across, tile.y // across, across)
        except BadImage:  # a part of the block that cannot be read must not take its whole neighbourhood down
            return self._draw(tile.bounds, side)
        where = np.s_[row : row + side, column : column + side]
        return np.ascontiguousarray(canvas[where]), filled[where]

    def _block(self, zoom: int, x: int, y: int, across: int) -> _Drawn:
        """So many tiles a side, drawn once, by whichever thread comes first."""
        key = zoom, x, y
        with self._lock:
            known = self._blocks.pop(key, None)
            drawn: Future[_Drawn] = known or Future()
            self._blocks[key] = drawn  # the last used is the last dropped
            while len(self._blocks) > _BLOCKS_KEPT:
                del self._blocks[next(iter(self._blocks))]
        if known is None:
            try:
                west, _, _, north = tile_bounds(zoom, x * across, y * across)
                _, south, east, _ = tile_bounds(zoom, (x + 1) * across - 1, (y + 1) * across - 1)
                bounds = Bounds(float(west), float(south), float(east), float(north))
                drawn.set_result(self._draw(bounds, across * self._options.tile_px))
            except BaseException as error:
                drawn.set_exception(error)
        return drawn.result()

    def _draw(self, bounds: Bounds, side_px: int) -> _Drawn:
        """uint8 [side, side, 3] of all files, and bool [side, side] of where any has data."""
        canvas = np.full((side_px, side_px, 3), NEUTRAL, np.uint8)
        filled = np.zeros((side_px, side_px), np.bool_)
        for number, file in enumerate(self._files):
            if file.touches(bounds) and not filled.all():
                for columns, box in boxes_of(bounds, side_px):
                    colours, valid = self._render(number, box)
                    _put(canvas[:, columns], filled[:, columns], colours, valid)
        return canvas, filled

    def _render(self, number: int, box: Any) -> _Drawn:
        file = self._files[number]
        try:
            return draw(self._handle(number), file, box)
        except Exception as error:  # GDAL's errors have no common base
            cause = error.__cause__ or error
            raise BadImage(f"{file.name} cannot be read here: {cause}; is it complete?") from error

    def _handle(self, number: int) -> Any:
        """This thread's open dataset of a file."""
        handles = self._local.__dict__.setdefault("handles", {})
        if number not in handles:
            handles[number] = self._files[number].open(self._root)
            with self._lock:
                self._handles.append(handles[number])
        return handles[number]


def _put(
    canvas: NDArray[np.uint8], filled: NDArray[np.bool_], colours: NDArray[np.uint8], valid: NDArray[np.bool_]
) -> None:
    """Draw on a canvas where nothing is drawn yet. Most pictures are whole and alone, which costs least."""
    if valid.all() and not filled.any():
        canvas[:], filled[:] = colours, True
        return
    np.copyto(canvas, colours, where=(valid & ~filled)[:, :, None])
    filled |= valid


def _raster_names(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir() if child.suffix.lower() in _SUFFIXES and child.is_file())


def _open_all(root: Path, names: list[str], options: SourceOptions) -> tuple[list[RasterFile], list[str]]:
    """Every file, drawn on one scale of values, and remarks.

    Raises:
        BadSource: some cannot be used, each named with the reason, and they are not to be skipped.
    """
    found: list[tuple[RasterFile, Sample]] = []
    bad: list[str] = []
    for name in names:
        try:
            found.append(inspect_raster(root, name, options, files=len(names)))
        except BadSource as error:
            bad.append(str(error))
    notes = _settle_bad(root, bad, len(names), skip=options.skip_bad)
    warnings: dict[str, list[str]] = {}
    for file, sample in found:
        for remark in remarks_on(file, sample):
            warnings.setdefault(remark, []).append(file.name)
    for remark, files in warnings.items():
        others = f" and {len(files) - 1} more" if len(files) > 1 else ""
        notes.append(f"warning: {files[0]}{others}: {remark}")
    files_found = [file for file, _ in found]
    notes += far_files(files_found) + hidden_files(files_found) + unlike_files(files_found)
    return _on_one_scale(found, notes), notes


def _left_below(folder: Path) -> list[str]:
    """A remark on rasters in folders below the one that was given."""
    below = files_below(folder, _SUFFIXES)
    if not below:
        return []
    verb = "is" if len(below) == 1 else "are"
    return [
        f"warning: {counted(len(below), 'raster')} in folders below, such as {below[0]}, {verb} not read; give a "
        "virtual raster of all (gdalbuildvrt), or put them into one folder"
    ]


def _settle_bad(root: Path, bad: list[str], count: int, *, skip: bool) -> list[str]:
    """Refuse files that cannot be used, or say that they are left out."""
    if not bad:
        return []
    reasons = "; ".join(bad[:_BAD_SHOWN]) + (f"; and {len(bad) - _BAD_SHOWN} more" if len(bad) > _BAD_SHOWN else "")
    if count == 1:
        raise BadSource(reasons)
    if len(bad) == count or not skip:
        advice = "" if len(bad) == count else ". Mend or remove them, or add --skip-bad to go on without them"
        raise BadSource(f"{len(bad)} of the {count} rasters of {root} cannot be used: {reasons}{advice}")
    return [f"warning: {len(bad)} of the {count} rasters cannot be used and are left out: {reasons}"]


def _on_one_scale(found: list[tuple[RasterFile, Sample]], notes: list[str]) -> list[RasterFile]:
    """The files, those with deep values scaled alike: by the values of all of one type together."""
    kinds = sorted({file.colours.dtype for file, _ in found if file.colours.palette is None})
    if len(kinds) > 1:
        notes.append(
            f"warning: the rasters hold values of {len(kinds)} types ({', '.join(kinds)}), each drawn on a scale of "
            "its own, so equal ground may look different; convert them to one type"
        )
    drawn = {file.name: file.colours for file, _ in found}
    for kind in kinds:
        alike = [(file, sample) for file, sample in found if file.colours.deep and file.colours.dtype == kind]
        if not units_agree([file.colours for file, _ in alike]):
            notes.append(
                "warning: some rasters give a scale for their values and others none, or count towards black, so equal "
                "ground may look different; convert them to one unit"
            )
        colours = scaled_alike([(file.colours, sample) for file, sample in alike])
        drawn |= {file.name: one for (file, _), one in zip(alike, colours, strict=True)}
    return [replace(file, colours=drawn[file.name]) for file, _ in found]
