"""An opened index: its segments as one table of rows, ready to search."""

from __future__ import annotations

import datetime
from bisect import bisect_right
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.encoders import EncoderIdentity
from indexer.common.errors import BadQuery, IndexDamaged
from indexer.index.dense import AllScores, joined_scores
from indexer.index.index_manifest import IndexManifest
from indexer.index.manifest import MANIFEST, Manifest
from indexer.index.searchable import checked_queries, require_same_encoder
from indexer.index.segment import Segment
from indexer.index.zones import SearchResult, joined_results
from indexer.tiles.names import rows_of_text
from indexer.tiles.region import Region
from indexer.tiles.sources.options import DATE
from indexer.tiles.sources.source import TileImage
from indexer.tiles.tile_table import TileRecord, TileTable, joined_tables
from model.common.geo import Bounds, LatLon

__all__ = ["TileIndex"]

_ATTEMPTS = 5
"""How often an index is opened that is changed in the meantime."""


class TileIndex:
    """A tile corpus as unit vectors with their places. Searching is thread-safe.

    A row is a number that means a tile as long as the index is open: rows of the first segment come first, then those
    of the next. What is opened stays what it is; `is_current` tells whether the folder has a newer version.

    Example:
        >>> index = TileIndex.open(Path("index"))  # doctest: +SKIP
        >>> index.search(queries, top_k=5, region=CircleRegion(LatLon(47.0, 8.5), 2_000.0))  # doctest: +SKIP

    Attributes:
        folder: where it lies.
        manifest: what it is made of.
        segments: its parts, in the order of their rows.
    """

    def __init__(
        self,
        folder: Path,
        manifest: IndexManifest,
        segments: tuple[Segment, ...],
        whole: IndexManifest | None = None,
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self._whole = whole or manifest
        self.segments = segments
        self._starts = np.cumsum([0, *(len(segment.tiles) for segment in segments)]).tolist()

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        verify: bool = False,
        exact: bool = False,
        since: datetime.date | None = None,
        scan_on: str | None = None,
    ) -> TileIndex:
        """Open and check a folder.

        Files up to 256 MB are hashed at once, and the table of tiles, which is read whole. Of a larger file of vectors
        every block is before it is first compared with a query, and meanwhile all in the background. A search waits
        until the background has checked what it uses and has no blocks: `search.faiss`, vectors of format 2.

        Args:
            folder: an index folder.
            verify: hash all files at once.
            exact: compare every tile with every query, whatever lists there are.
            since: leave out imagery that is older, or of which no date was said.
            scan_on: device that compares every tile, from a copy in its memory, such as cuda; None for the processors.

        Raises:
            BadConfig: there is no such device.
            BadRecipe: its memory is too small.
            NoSuchIndex: there is no such folder.
            IndexDamaged: a file is missing, changed or contradicts the manifest.
            IndexVersion: it has another format version.
            BadQuery: it has no imagery since then.
        """
        folder = Path(folder).resolve()
        for _ in range(_ATTEMPTS):
            whole = IndexManifest.read(folder)
            try:
                manifest = whole if since is None else _since(folder, whole, since)
                opened = _open_segments(folder, manifest, verify=verify, exact=exact, scan_on=scan_on)
                return cls(folder, manifest, opened, whole)
            except (IndexDamaged, FileNotFoundError) as error:
                failure = error
                if IndexManifest.read(folder) == whole:
                    raise  # otherwise it was changed while it was being opened
        raise failure

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

    @property
    def anchor_points(self) -> list[tuple[float, float]]:
        """Where in a tile its vectors are centred: (east, south) of its centre, in shares of its side."""
        return self.manifest.anchors

    @property
    def bounds(self) -> Bounds:
        """Box around all tiles."""
        return self.manifest.bounds

    @property
    def dates(self) -> list[str]:
        """Dates of the imagery, ascending; "no date" for what has none."""
        return sorted({segment.date or "no date" for segment in self.segments})

    @property
    def is_current(self) -> bool:
        """Whether the folder still holds what was opened; true as well where it is gone or cannot be read."""
        try:
            return IndexManifest.read(self.folder) == self._whole
        except (IndexDamaged, OSError):
            return True

    def require_encoder(self, encoder: EncoderIdentity) -> None:
        """Make sure that an encoder's vectors may be compared with these.

        Raises:
            IndexMismatch: the index was built by another encoder.
        """
        require_same_encoder(encoder, self.manifest.encoder, self.dim, f"index {self.folder}")

    def search(self, queries: NDArray[np.float32], *, top_k: int, region: Region | None = None) -> list[SearchResult]:
        """The most similar tiles of each query.

        Args:
            queries: [Q, D] unit vectors.
            top_k: how many tiles; fewer come back where the region holds fewer.
            region: look only at tiles that touch it; such a search is always exact.

        Raises:
            BadQuery: top_k below one, or queries not finite or of another shape.
        """
        queries = checked_queries(queries, top_k, self.dim)
        found = [segment.search(queries, top_k=top_k, region=region) for segment in self.segments]
        return [joined_results(each, self._starts, top_k) for each in zip(*found, strict=True)]

    def score_all(self, queries: NDArray[np.float32], *, region: Region | None = None) -> AllScores:
        """How well every tile matches the best of some queries, compared exactly whatever the kind of index.

        Args:
            queries: [Q, D] unit vectors.
            region: score only tiles that touch it.

        Raises:
            BadQuery: queries not finite or of another shape, or more tiles than memory is meant for.
        """
        queries = checked_queries(queries, 1, self.dim)
        return joined_scores([one.score_all(queries, region=region) for one in self.segments], self._starts)

    def place_of(self, row: int) -> tuple[Segment, int]:
        """The segment that holds a row, and the row's number there.

        Raises:
            BadQuery: there is no such row.
        """
        if not 0 <= row < self._starts[-1]:
            raise BadQuery(f"row {row} is not in the index; it has rows 0 to {self._starts[-1] - 1}")
        number = bisect_right(self._starts, row) - 1
        return self.segments[number], row - self._starts[number]

    def tile(self, row: int) -> TileRecord:
        """The tile of a row.

        Raises:
            BadQuery: there is no such row.
        """
        segment, own = self.place_of(row)
        return segment.tile(own)

    def vector(self, row: int) -> NDArray[np.float16]:
        """float16 [A, D] of a tile's anchors."""
        segment, own = self.place_of(row)
        vectors: NDArray[np.float16] = segment.vectors[own].reshape(self.anchors, self.dim)
        return vectors

    def point(self, row: int, anchor: int, shift: tuple[float, float] = (0.0, 0.0)) -> LatLon:
        """Where an anchor of a tile lies on the ground: where the camera stands, if it is the one that matches.

        `shift` moves it east and south by shares of the tile's side.
        """
        segment, own = self.place_of(row)
        return segment.point(own, anchor, shift)

    def row_of(self, z: int, x: int, y: int) -> int | None:
        """The row of a tile of the Web Mercator grid, the one added last where there are several, or None."""
        for start, segment in reversed(list(zip(self._starts, self.segments, strict=False))):
            row = segment.row_of(z, x, y)
            if row is not None:
                return int(start + row)
        return None

    def row_named(self, tile_id: str) -> int | None:
        """The row of a tile, the one added last where there are several of that name, or None."""
        for start, segment in reversed(list(zip(self._starts, self.segments, strict=False))):
            rows = rows_of_text(segment.tiles.tile_id, tile_id)
            if segment.removed is not None:
                rows = rows[~segment.removed[rows]]
            if len(rows):
                return int(start + rows[-1])
        return None

    @property
    def live_rows(self) -> NDArray[np.int64]:
        """int64 rows of the tiles that have not been removed, ascending."""
        return np.concatenate(
            [start + segment.live_rows for start, segment in zip(self._starts, self.segments, strict=False)]
        )

    def covers(self, place: LatLon) -> bool:
        """Whether a tile lies there."""
        return any(segment.covers(place) for segment in self.segments)

    def image(self, row: int) -> TileImage | None:
        """A tile's picture from its source, or None where the source is gone or the tile cannot be read."""
        segment, own = self.place_of(row)
        return segment.image(own)

    def picture(self, row: int, *, at_least_px: tuple[int, int] | None = None) -> Image.Image | None:
        """A tile's picture as an encoder reads it, or None where it cannot be read any more."""
        segment, own = self.place_of(row)
        return segment.picture(own, at_least_px=at_least_px)

    def tile_image(self, z: int, x: int, y: int) -> TileImage | None:
        """The picture of an indexed tile of the Web Mercator grid, or None."""
        row = self.row_of(z, x, y)
        return None if row is None else self.image(row)

    @property
    def has_pictures(self) -> bool:
        """Whether a source of tiles is still on disk."""
        return any(segment.source is not None for segment in self.segments)

    @property
    def zooms(self) -> list[int]:
        """Zooms of the tiles that lie on the Web Mercator grid, ascending."""
        each = [np.unique(segment.tiles.z) for segment in self.segments]
        return [int(zoom) for zoom in np.unique(np.concatenate(each)) if zoom >= 0]

    @cached_property
    def tiles(self) -> TileTable:
        """The table of all rows; where there are several segments it is made when it is first asked for."""
        return joined_tables([segment.tiles for segment in self.segments])

    def wait_until_checked(self) -> None:
        """Wait until the large files that were not hashed at once have been, in the background.

        Raises:
            IndexDamaged: one is not what was written.
        """
        for segment in self.segments:
            segment.wait_until_checked()

    def close(self) -> None:
        """Stop the threads and close the sources."""
        for segment in self.segments:
            segment.close()


def _since(folder: Path, manifest: IndexManifest, since: datetime.date) -> IndexManifest:
    """The part of an index whose imagery is not older.

    Raises:
        BadQuery: there is none.
    """
    segments = {entry.manifest: Manifest.read(*_split(folder / entry.manifest)) for entry in manifest.segments}
    dates = {path: one.source.get(DATE) for path, one in segments.items()}
    left = {path: one for path, one in segments.items() if (day := dates[path]) and day >= since.isoformat()}
    if not left:
        known = ", ".join(sorted({date or "no date" for date in dates.values()}))
        raise BadQuery(f"{folder} has no imagery since {since}; it has imagery of {known}")
    removed = {entry.manifest: entry.removed for entry in manifest.segments if entry.removed}
    return IndexManifest.of_segments(left, removed)


def _split(path: Path) -> tuple[Path, str]:
    return path.parent, path.name


def _open_segments(
    folder: Path, manifest: IndexManifest, *, verify: bool, exact: bool, scan_on: str | None
) -> tuple[Segment, ...]:
    """All segments of an index.

    Raises:
        IndexDamaged: one is missing, damaged or another.
    """
    segments: list[Segment] = []
    try:
        for entry in manifest.segments:
            removed = entry.removed.read(folder, entry.rows) if entry.removed else None
            path = folder / entry.manifest
            segments.append(
                Segment.open(path, base=folder.parent, removed=removed, verify=verify, exact=exact, scan_on=scan_on)
            )
            found = segments[-1].manifest
            if found.digest != entry.digest:
                raise IndexDamaged(
                    f"{path} is of segment {found.digest[:12]}, {folder / MANIFEST} names {entry.digest[:12]}; "
                    "restore the index"
                )
    except BaseException:
        for segment in segments:
            segment.close()
        raise
    return tuple(segments)
