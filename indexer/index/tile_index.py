"""An opened index folder: checked, memory-mapped, and ready to search."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.common.encoders import EncoderIdentity
from indexer.common.errors import BadQuery, BadSource, IndexDamaged, IndexMismatch, TileWithoutData
from indexer.index.dense import AllScores, score_all
from indexer.index.exact_search import ExactScan, rank
from indexer.index.geoparquet import read_tiles
from indexer.index.integrity import BackgroundCheck, BlockCheck
from indexer.index.ivf import load_approximate, propose_rows
from indexer.index.manifest import EMBEDDINGS, HASHED_AT_ONCE_BYTES, SEARCH, TILES, Manifest
from indexer.index.zones import SearchResult, ZoneMap, best_anchors
from indexer.tiles.depth import VALUE_BITS
from indexer.tiles.grid import MAX_ZOOM, curve_keys_of_tiles
from indexer.tiles.region import CircleRegion, Region
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions, TileImage, TileSource, as_tile_image
from indexer.tiles.tile_table import TileRecord, TileTable
from model.common.errors import BadImage, MissingExtra
from model.common.geo import LatLon, normal_lon

__all__ = ["TileIndex"]

logger = logging.getLogger(__name__)

_ON_A_TILE_M = 0.01
"""A place this near a tile's edge is on it; tiles of one grid meet within rounding."""
_FORMER_NUMBERS = "float"
"""Numeric family of an index whose manifest does not name one."""


class TileIndex:
    """A tile corpus as unit vectors with their places. Searching is thread-safe.

    Example:
        >>> index = TileIndex.open(Path("index"))  # doctest: +SKIP
        >>> index.search(queries, top_k=5, region=CircleRegion(LatLon(47.0, 8.5), 2_000.0))  # doctest: +SKIP

    Attributes:
        folder: where it lies.
        manifest: what made it.
        tiles: one row a vector.
        vectors: float16 [N, A * D], the vectors of a tile's anchors in a row; memory-mapped.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        tiles: TileTable,
        vectors: NDArray[np.float16],
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.tiles = tiles
        self.vectors = vectors
        self._zones = ZoneMap(tiles)
        self._flat = vectors.reshape(-1, manifest.dim)
        self._scan = ExactScan(self._flat)
        self._approximate = None
        if manifest.search.kind == "ivf":
            self._approximate = load_approximate(folder / SEARCH, manifest.search, count=len(self._flat), dim=self.dim)
        self._source_lock = threading.Lock()
        self._blocks: BlockCheck | None = None
        self._background: BackgroundCheck | None = None

    @classmethod
    def open(cls, folder: Path | str, *, verify: bool = False) -> TileIndex:
        """Open and check a folder.

        Files up to 256 MB are hashed at once. Of larger ones every block is, before it is first compared with a
        query, and meanwhile all of them in the background; what is found then, the next search raises.

        Args:
            folder: an index folder.
            verify: hash all files at once.

        Raises:
            NoSuchIndex: there is no such folder.
            IndexDamaged: a file is missing, changed or contradicts the manifest.
            IndexVersion: it has another format version.
        """
        folder = Path(folder).resolve()
        manifest = Manifest.read(folder)
        large = [name for name, entry in manifest.files.items() if entry.size_bytes > HASHED_AT_ONCE_BYTES]
        for name, entry in manifest.files.items():
            entry.check(folder / name, hashed=verify or name not in large)
        tiles, vectors = read_tiles(folder / TILES), _map_vectors(folder / EMBEDDINGS)
        width = manifest.dim * len(manifest.anchors)
        if vectors.shape != (manifest.count, width) or len(tiles) != manifest.count:
            raise IndexDamaged(
                f"{folder} has {len(tiles):,} tiles and vectors {vectors.shape}; its manifest says "
                f"{manifest.count:,} tiles of {width} numbers. Rebuild the index"
            )
        index = cls(folder, manifest, tiles, vectors)
        if large and not verify:
            index._check_while_serving(large)
        return index

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def digest(self) -> str:
        """SHA-256 hex identity of the content."""
        return self.manifest.digest

    @property
    def count(self) -> int:
        """Number of tiles."""
        return self.manifest.count

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self.manifest.dim

    @property
    def anchors(self) -> int:
        """Number of vectors of each tile."""
        return len(self.manifest.anchors)

    def require_encoder(self, encoder: EncoderIdentity) -> None:
        """Make sure that an encoder's vectors may be compared with these.

        Raises:
            IndexMismatch: the index was built by another encoder.
        """
        built_by = self.manifest.encoder
        if encoder.digest != built_by["digest"] or encoder.dim != self.dim:
            raise IndexMismatch(
                f"index {self.folder} holds {self.dim}-d vectors from {built_by['name']} "
                f"({built_by['digest'][:12]}); this encoder makes {encoder.dim}-d from {encoder.name} "
                f"({encoder.digest[:12]}). Rebuild it with `python -m indexer build`, or load the matching weights"
            )
        if encoder.numbers != (family := built_by.get("numbers", _FORMER_NUMBERS)):
            raise IndexMismatch(
                f"index {self.folder} holds vectors of the numeric family {family}; this encoder makes "
                f"{encoder.numbers} ones, and the two are not compared. Rebuild it with this engine, or choose another"
            )

    def search(self, queries: NDArray[np.float32], *, top_k: int, region: Region | None = None) -> list[SearchResult]:
        """The most similar tiles of each query.

        Args:
            queries: [Q, D] unit vectors.
            top_k: how many tiles; fewer come back where the region holds fewer.
            region: look only at tiles that touch it; such a search is always exact.

        Raises:
            BadQuery: top_k below one, or queries not finite or of another shape.
        """
        queries = self._checked(queries, top_k)
        if region is None and self._approximate is not None:
            return self._search_approximately(queries, top_k)
        runs, anchors = self._zones.runs(region), self.anchors
        self._require_whole(runs[:, 0], runs[:, 1])
        scanned = int((runs[:, 1] - runs[:, 0]).sum())
        found = self._scan.search(queries, runs * anchors, top_k=top_k * anchors)
        return [SearchResult(*best_anchors(*one, anchors, top_k), exact=True, scanned=scanned) for one in found]

    def score_all(self, queries: NDArray[np.float32], *, region: Region | None = None) -> AllScores:
        """How well every tile matches the best of some queries, compared exactly whatever the kind of index.

        Args:
            queries: [Q, D] unit vectors.
            region: score only tiles that touch it.

        Raises:
            BadQuery: queries not finite or of another shape, or more tiles than memory is meant for.
        """
        queries, runs = self._checked(queries, 1), self._zones.runs(region)
        self._require_whole(runs[:, 0], runs[:, 1])
        return score_all(self.vectors, queries, runs)

    def tile(self, row: int) -> TileRecord:
        """The tile of a row.

        Raises:
            BadQuery: there is no such row.
        """
        if not 0 <= row < self.count:
            raise BadQuery(f"row {row} is not in the index; it has rows 0 to {self.count - 1}")
        return self.tiles.record(row)

    def point(self, row: int, anchor: int) -> LatLon:
        """Where an anchor of a tile lies on the ground: where the camera stands, if it is the one that matches."""
        bounds, (east, south) = self.tiles.record(row).bounds, self.manifest.anchors[anchor]
        lat, lon = float(self.tiles.lat[row]), float(self.tiles.lon[row])
        east_deg = east * ((bounds.east - bounds.west) % 360.0)
        return LatLon(lat - south * (bounds.north - bounds.south), normal_lon(lon + east_deg))

    def row_of(self, z: int, x: int, y: int) -> int | None:
        """The row of a tile of the Web Mercator grid, or None."""
        if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
            return None
        key = curve_keys_of_tiles(z, x, y)
        for row in range(*np.searchsorted(self.tiles.curve_keys, [key, key + 1]).tolist()):
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
            return as_tile_image(source.read(self.tile(row)))
        except (BadImage, TileWithoutData, OSError):
            return None

    def tile_image(self, z: int, x: int, y: int) -> TileImage | None:
        """The picture of an indexed tile of the Web Mercator grid, or None."""
        row = self.row_of(z, x, y)
        return None if row is None else self.image(row)

    @property
    def source(self) -> TileSource | None:
        """The tile source, opened when first asked for, or None where it is no longer on disk."""
        with self._source_lock:
            return self._opened_source

    def close(self) -> None:
        """Stop the threads and close the source."""
        self._scan.close()
        if self._background is not None:
            self._background.stop()
        if "_opened_source" in self.__dict__ and self._opened_source is not None:
            self._opened_source.close()

    @property
    def source_path(self) -> Path:
        """Where the tile source lay when the index was built."""
        return self.folder.parent / str(self.manifest.source["path"])

    def _check_while_serving(self, large: Sequence[str]) -> None:
        """Set up the checks of files that were not hashed at once."""
        blocks = self.manifest.blocks.get(EMBEDDINGS)
        if blocks is not None:
            self._blocks = BlockCheck(self.folder / EMBEDDINGS, self.folder / blocks)
        files = [name for name in large if name != EMBEDDINGS or blocks is None]
        whole = chain.from_iterable(self.manifest.files[name].steps(self.folder / name) for name in files)
        self._background = BackgroundCheck(chain(self._blocks.steps() if self._blocks else (), whole))

    def _require_whole(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        """Make sure that the vectors of some runs of tiles are what was written, as far as blocks have digests.

        Raises:
            IndexDamaged: they are not, or another file was found damaged.
        """
        if self._background is not None:
            self._background.require()
        if self._blocks is not None:
            header, row = self._header_bytes, 2 * self.dim * self.anchors
            self._blocks.require(header + starts * row, header + stops * row)

    @cached_property
    def _header_bytes(self) -> int:
        return (self.folder / EMBEDDINGS).stat().st_size - self.vectors.nbytes

    def _search_approximately(self, queries: NDArray[np.float32], top_k: int) -> list[SearchResult]:
        proposed = propose_rows(self._approximate, queries, self.manifest.search, top_k=top_k * self.anchors)
        results = []
        for query, candidates in zip(queries, proposed, strict=True):
            rows = np.unique(candidates // self.anchors)
            self._require_whole(rows, rows + 1)
            found = rank(self._flat, query, candidates, len(candidates))
            tiles = len(rows)
            results.append(SearchResult(*best_anchors(*found, self.anchors, top_k), exact=False, scanned=tiles))
        return results

    def _checked(self, queries: NDArray[np.float32], top_k: int) -> NDArray[np.float32]:
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.dim or not len(queries):
            raise BadQuery(f"queries have shape {queries.shape}; this index wants [Q, {self.dim}]")
        if not np.isfinite(queries).all():
            raise BadQuery("a query holds NaN or infinity; the encoder's output must be finite unit vectors")
        if top_k < 1:
            raise BadQuery(f"top_k is {top_k}; give at least 1")
        return queries

    @cached_property
    def _opened_source(self) -> TileSource | None:
        options = {key: value for key, value in self.manifest.source.items() if key not in ("kind", "path", VALUE_BITS)}
        try:
            return open_source(self.source_path, SourceOptions.from_json(options))
        except (BadSource, MissingExtra, OSError, TypeError):
            return None


def _map_vectors(path: Path) -> NDArray[np.float16]:
    try:
        vectors: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise IndexDamaged(f"{path} is no NumPy array: {error}; rebuild the index") from error
    if vectors.ndim != 2 or vectors.dtype != np.float16:
        raise IndexDamaged(f"{path} is {vectors.dtype} {vectors.shape}; expected float16 [N, D], rebuild the index")
    return vectors
