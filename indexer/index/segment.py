"""An opened segment of an index, a folder that never changes: checked, memory-mapped, and ready to search."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.errors import BadSource, IndexDamaged, TileWithoutData
from indexer.index.dense import AllScores, score_all
from indexer.index.exact_search import ExactScan, Rows, rank
from indexer.index.geoparquet import read_tiles
from indexer.index.integrity import BackgroundCheck, BlockCheck
from indexer.index.ivf import load_approximate, selector
from indexer.index.manifest import EMBEDDINGS, HASHED_AT_ONCE_BYTES, SEARCH, TILES, Manifest
from indexer.index.row_reader import RowReader
from indexer.index.tile_search import best_tiles, propose_tiles, vectors_of_tiles
from indexer.index.zones import SearchResult, ZoneMap, best_anchors, nothing_found
from indexer.tiles.depth import VALUE_BITS
from indexer.tiles.grid import MAX_ZOOM, curve_keys_of_tiles
from indexer.tiles.region import CircleRegion, RecentImagery, Region
from indexer.tiles.sources.addresses import RemoteOptions, is_address
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.options import DATE
from indexer.tiles.sources.source import SourceOptions, TileImage, TileSource, as_tile_image
from indexer.tiles.tile_table import TileRecord, TileTable, point_in_tile
from model.common.counted import counted
from model.common.errors import BadImage, MissingExtra
from model.common.geo import LatLon
from model.common.images import decode_image

__all__ = ["Segment"]

logger = logging.getLogger(__name__)

_ALL_BLOCKS = "blocks of embeddings.npy"
"""Their part of the background's work: no search waits for it."""
_MAPPED_BYTES = 4 << 30
"""Vectors of up to so many bytes may all become resident; single rows of larger files are read, which is slower."""
_FIRST_BYTE = np.zeros(1, np.int64)
_ON_A_TILE_M = 0.01
"""A place this near a tile's edge is on it; tiles of one grid meet within rounding."""


class Segment:
    """Tiles as unit vectors with their places, in the rows of one folder; some may have been removed since.

    Searching is thread-safe.

    Attributes:
        folder: where it lies.
        manifest: what made it.
        tiles: one row a tile.
        vectors: float16 [N, A * D], the vectors of a tile's anchors in a row; memory-mapped.
        removed: bool [N], which rows are no longer part of the index; None where all are.
        exact: whether a search without a region compares every row.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        tiles: TileTable,
        vectors: np.memmap[tuple[int, int], np.dtype[np.float16]],
        *,
        base: Path | None = None,
        removed: NDArray[np.bool_] | None = None,
        exact: bool = False,
        scan_on: str | None = None,
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.tiles = tiles
        self.vectors = vectors
        self.removed = removed
        self._base = base or folder.parent
        self._zones = ZoneMap(tiles, removed)
        self._flat = vectors.reshape(-1, manifest.dim)
        self._scan = ExactScan(self._flat) if scan_on is None else _device_scan(self._flat, scan_on)
        self.exact = exact or scan_on is not None or manifest.search.kind != "ivf"
        self._kept = None if removed is None or self.exact else selector(np.repeat(~removed, self.anchors))
        self._proposed: Rows = self._flat
        if not self.exact and vectors.nbytes > _MAPPED_BYTES:
            self._proposed = RowReader(folder / EMBEDDINGS, int(vectors.offset), manifest.dim)
        self._source_lock = threading.Lock()
        self._opened: list[TileSource] = []
        self._blocks: BlockCheck | None = None
        self._background: BackgroundCheck | None = None

    @classmethod
    def open(
        cls,
        manifest_path: Path,
        *,
        base: Path | None = None,
        removed: NDArray[np.bool_] | None = None,
        exact: bool = False,
        verify: bool = False,
        scan_on: str | None = None,
    ) -> Segment:
        """Open and check a segment.

        Files up to 256 MB are hashed at once, and the table of tiles, which is read whole. Of a larger file of vectors
        every block is before it is first compared with a query, and meanwhile all in the background. A search waits
        until the background has checked what it uses and has no blocks: `search.faiss`, vectors of format 2.

        Args:
            manifest_path: its manifest.
            base: folder that the path of the tile source starts from; the one above the segment's where not given.
            removed: bool [N] rows to leave out.
            exact: compare every row, whatever lists there are.
            verify: hash all files at once.
            scan_on: device that compares every row, from a copy of its own; None for this machine's processors.

        Raises:
            IndexDamaged: a file is missing, changed or contradicts the manifest.
            IndexVersion: it has another format version.
            BadConfig: there is no such device.
            BadRecipe: its memory is too small.
        """
        folder = manifest_path.parent
        manifest = Manifest.read(folder, manifest_path.name)
        large = [
            name for name, entry in manifest.files.items() if entry.size_bytes > HASHED_AT_ONCE_BYTES and name != TILES
        ]
        for name, entry in manifest.files.items():
            entry.check(folder / name, hashed=verify or name not in large)
        tiles, vectors = read_tiles(folder / TILES), _map_vectors(folder / EMBEDDINGS)
        width = manifest.dim * len(manifest.anchors)
        if vectors.shape != (manifest.count, width) or len(tiles) != manifest.count:
            raise IndexDamaged(
                f"{folder} has {counted(len(tiles), 'tile')} and vectors {vectors.shape}; its manifest says "
                f"{counted(manifest.count, 'tile')} of {width} numbers. Rebuild the index"
            )
        segment = cls(folder, manifest, tiles, vectors, base=base, removed=removed, exact=exact, scan_on=scan_on)
        if large and not verify:
            segment._check_while_serving(large)
        if verify or SEARCH not in large:
            segment._approximate  # noqa: B018 (opened now, to find out now)
        return segment

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self.manifest.dim

    @property
    def anchors(self) -> int:
        """Number of vectors of each tile."""
        return len(self.manifest.anchors)

    @property
    def live_rows(self) -> NDArray[np.int64]:
        """int64 rows that are part of the index, ascending."""
        return np.arange(len(self.tiles)) if self.removed is None else np.flatnonzero(~self.removed)

    def search(self, queries: NDArray[np.float32], *, top_k: int, region: Region | None = None) -> list[SearchResult]:
        """The most similar tiles of each query; as `TileIndex.search`, which checks what is asked."""
        if isinstance(region, RecentImagery):
            if not region.leaves(self.date):
                return [nothing_found()] * len(queries)
            region = region.area
        if region is None and not self.exact:
            return self._search_approximately(queries, top_k)
        runs, anchors = self._zones.runs(region), self.anchors
        self._require_whole(runs[:, 0], runs[:, 1])
        scanned = int((runs[:, 1] - runs[:, 0]).sum())
        found = best_tiles(self._scan, queries, runs * anchors, per_tile=anchors, top_k=top_k)
        return [SearchResult(*best_anchors(*one, anchors, top_k), exact=True, scanned=scanned) for one in found]

    def score_all(self, queries: NDArray[np.float32], *, region: Region | None = None) -> AllScores:
        """How well every tile matches the best of some queries; as `TileIndex.score_all`."""
        if isinstance(region, RecentImagery) and not region.leaves(self.date):
            return score_all(self.vectors, queries, np.empty((0, 2), np.int64))
        runs = self._zones.runs(region)
        self._require_whole(runs[:, 0], runs[:, 1])
        return score_all(self.vectors, queries, runs)

    @property
    def date(self) -> str | None:
        """When its pictures were taken, as YYYY-MM-DD, where that was said."""
        return self.manifest.source.get(DATE)

    def tile(self, row: int) -> TileRecord:
        """The tile of a row."""
        return replace(self.tiles.record(row), date=self.date)

    def point(self, row: int, anchor: int, shift: tuple[float, float] = (0.0, 0.0)) -> LatLon:
        """Where an anchor of a tile lies on the ground, moved east and south by shares of the tile's side."""
        tiles = self.tiles
        edges = (float(tiles.west[row]), float(tiles.south[row]), float(tiles.east[row]), float(tiles.north[row]))
        centre = (float(tiles.lat[row]), float(tiles.lon[row]))
        return point_in_tile(centre, edges, self.manifest.anchors[anchor], shift)

    def row_of(self, z: int, x: int, y: int) -> int | None:
        """The row of a tile of the Web Mercator grid, or None."""
        if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
            return None
        key = curve_keys_of_tiles(z, x, y)
        for row in range(*np.searchsorted(self.tiles.curve_keys, [key, key + 1]).tolist()):
            if self.removed is not None and self.removed[row]:
                continue
            if (self.tiles.z[row], self.tiles.x[row], self.tiles.y[row]) == (z, x, y):
                return row
        return None

    def covers(self, place: LatLon) -> bool:
        """Whether a tile lies there."""
        return bool(len(self._zones.runs(CircleRegion(place, _ON_A_TILE_M))))

    def image(self, row: int) -> TileImage | None:
        """A tile's picture from its source, or None where the source is gone or the tile cannot be read."""
        source = self.source
        if source is None:
            return None
        try:
            return as_tile_image(source.read(self.tiles.record(row)))
        except (BadImage, TileWithoutData, OSError):
            return None

    def picture(self, row: int, *, at_least_px: tuple[int, int] | None = None) -> Image.Image | None:
        """A tile's picture as an encoder reads it, or None where it cannot be read any more."""
        source = self.source
        if source is None:
            return None
        try:
            picture = source.read(self.tiles.record(row))
            if isinstance(picture, Image.Image):
                return picture
            return decode_image(picture, at_least_px=at_least_px, value_bits=self.manifest.source.get(VALUE_BITS))
        except (BadImage, TileWithoutData, OSError):
            return None

    @property
    def source(self) -> TileSource | None:
        """The tile source, opened when first asked for, or None where it is no longer on disk."""
        with self._source_lock:
            return self._opened_source

    def wait_until_checked(self) -> None:
        """Wait for the check in the background.

        Raises:
            IndexDamaged: it found a file that is not what was written.
        """
        if self._background is not None:
            self._background.wait()
            self._background.require()

    def close(self) -> None:
        """Stop the threads and close the source."""
        self._scan.close()
        if self._background is not None:
            self._background.stop()
        while self._opened:
            self._opened.pop().close()

    @property
    def source_path(self) -> Path:
        """Where the tile source lay when the index was built."""
        return self._base / str(self.manifest.source["path"])

    def _check_while_serving(self, large: Sequence[str]) -> None:
        """Set up the checks of files that were not hashed at once."""
        blocks = self.manifest.blocks.get(EMBEDDINGS)
        if blocks is not None:
            self._blocks = BlockCheck(self.folder / EMBEDDINGS, self.folder / blocks)
            self._blocks.require(_FIRST_BYTE, _FIRST_BYTE + 1)  # the header says where all others lie
        files = {name: self.manifest.files[name].steps(self.folder / name) for name in large}
        if self._blocks is not None:
            files.pop(EMBEDDINGS)  # searches check the blocks that they need, so others come first
            files[_ALL_BLOCKS] = iter(self._blocks.steps())
        self._background = BackgroundCheck(files)

    def _require_whole(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        """Make sure that the vectors of some runs of tiles are what was written; where blocks have no digests, all.

        Raises:
            IndexDamaged: they are not, or another file was found damaged.
        """
        if self._background is not None:
            self._background.require(EMBEDDINGS)
        if self._blocks is not None:
            header, row = int(self.vectors.offset), 2 * self.dim * self.anchors
            self._blocks.require(header + starts * row, header + stops * row)

    @cached_property
    def _approximate(self) -> Any:
        """The index that proposes rows, None where every search is exact; a large one is opened once it is checked."""
        if self.exact:
            return None
        if self._background is not None:
            self._background.require(SEARCH)
        return load_approximate(self.folder / SEARCH, self.manifest.search, count=len(self._flat), dim=self.dim)

    def _search_approximately(self, queries: NDArray[np.float32], top_k: int) -> list[SearchResult]:
        recipe, anchors = self.manifest.search, self.anchors
        proposed = propose_tiles(self._approximate, queries, recipe, per_tile=anchors, top_k=top_k, kept=self._kept)
        results = []
        for query, tiles in zip(queries, proposed, strict=True):
            self._require_whole(tiles, tiles + 1)
            candidates = vectors_of_tiles(tiles, anchors)
            found = rank(self._proposed, query, candidates, len(candidates))
            results.append(SearchResult(*best_anchors(*found, anchors, top_k), exact=False, scanned=len(tiles)))
        return results

    @property
    def source_name(self) -> str:
        """The path or the address of the tile source."""
        path = str(self.manifest.source["path"])
        return path if is_address(path) else str(self.source_path)

    def open_source(self, remote: RemoteOptions | None = None) -> TileSource:
        """Open the tile source as it was indexed, until this is closed; an address only where that is allowed now.

        Raises:
            BadSource: it is gone, or not as it was, or may not be fetched.
        """
        options = self._source_options()
        if remote is not None:
            said = remote.attribution or options.remote.attribution
            options = replace(options, remote=replace(remote, attribution=said))
        self._opened.append(open_source(self.source_name, options))
        return self._opened[-1]

    @cached_property
    def _opened_source(self) -> TileSource | None:
        try:
            return self.open_source()
        except (BadSource, MissingExtra, OSError, TypeError):
            return None

    def _source_options(self) -> SourceOptions:
        options = {
            key: value for key, value in self.manifest.source.items() if key not in ("kind", "path", VALUE_BITS, DATE)
        }
        on_grid = np.unique(self.tiles.z[self.tiles.z >= 0]).tolist()
        if on_grid and options.get("tile_size_m") is None:
            options.setdefault("zoom", on_grid)  # a deeper zoom may be there now, which is no part of this
        return SourceOptions.from_json(options)


def _device_scan(vectors: NDArray[np.float16], device: str) -> ExactScan:
    from indexer.index.device_scan import DeviceScan  # it loads torch

    return DeviceScan(vectors, device)


def _map_vectors(path: Path) -> np.memmap[tuple[int, int], np.dtype[np.float16]]:
    try:
        vectors: np.memmap[tuple[int, int], np.dtype[np.float16]] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header makes NumPy raise errors of the language, too
        raise IndexDamaged(f"{path} is no NumPy array: {error}; rebuild the index") from error
    if vectors.ndim != 2 or vectors.dtype != np.float16:
        raise IndexDamaged(f"{path} is {vectors.dtype} {vectors.shape}; expected float16 [N, D], rebuild the index")
    return vectors
