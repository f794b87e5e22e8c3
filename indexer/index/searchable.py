"""What localizing needs from an index, wherever its vectors lie: a folder on this disk, or a vector database."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.encoders import EncoderIdentity
from indexer.common.errors import BadQuery, IndexMismatch
from indexer.index.dense import AllScores
from indexer.index.zones import SearchResult
from indexer.tiles.region import Region
from indexer.tiles.sources.source import TileImage
from indexer.tiles.tile_table import TileRecord
from model.common.geo import Bounds, LatLon

__all__ = ["SearchableIndex", "checked_queries", "require_same_encoder"]

_FORMER_NUMBERS = "float"
"""Numeric family of an index that names none."""


class SearchableIndex(Protocol):
    """A corpus of tiles that photos are compared with. A row is a number that means a tile while the index is open."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def folder(self) -> Path | None:
        """Where its files lie, or None where it has none on this disk."""

    @property
    def digest(self) -> str:
        """SHA-256 hex identity of the content."""

    @property
    def count(self) -> int:
        """Number of tiles."""

    @property
    def dim(self) -> int:
        """Length of the vectors."""

    @property
    def anchors(self) -> int:
        """Number of vectors of each tile."""

    @property
    def anchor_points(self) -> list[tuple[float, float]]:
        """Where in a tile its vectors are centred: (east, south) of its centre, in shares of its side."""

    @property
    def bounds(self) -> Bounds:
        """Box around all tiles."""

    @property
    def dates(self) -> list[str]:
        """Dates of the imagery, ascending; "no date" for what has none."""

    @property
    def zooms(self) -> list[int]:
        """Zooms of the tiles that lie on the Web Mercator grid, ascending."""

    @property
    def has_pictures(self) -> bool:
        """Whether pictures of tiles can be read here."""

    def require_encoder(self, encoder: EncoderIdentity) -> None:
        """Make sure that an encoder's vectors may be compared with these.

        Raises:
            IndexMismatch: the index was built by another encoder.
        """

    def search(self, queries: NDArray[np.float32], *, top_k: int, region: Region | None = None) -> list[SearchResult]:
        """The most similar tiles of each of [Q, D] unit vectors.

        Raises:
            BadQuery: top_k below one, or queries not finite or of another shape.
        """

    def score_all(self, queries: NDArray[np.float32], *, region: Region | None = None) -> AllScores:
        """How well every tile matches the best of some queries.

        Raises:
            BadQuery: queries not finite or of another shape, or more tiles than are scored at once.
        """

    def tile(self, row: int) -> TileRecord:
        """The tile of a row.

        Raises:
            BadQuery: there is no such row.
        """

    def vector(self, row: int) -> NDArray[np.float16]:
        """float16 [A, D] of a tile's anchors."""

    def point(self, row: int, anchor: int, shift: tuple[float, float] = (0.0, 0.0)) -> LatLon:
        """Where an anchor of a tile lies on the ground, moved east and south by shares of the tile's side."""

    def covers(self, place: LatLon) -> bool:
        """Whether a tile lies there."""

    def picture(self, row: int, *, at_least_px: tuple[int, int] | None = None) -> Image.Image | None:
        """A tile's picture as an encoder reads it, or None where it cannot be read any more."""

    def tile_image(self, z: int, x: int, y: int) -> TileImage | None:
        """The picture of an indexed tile of the Web Mercator grid, or None."""

    def close(self) -> None:
        """Let go of what is open."""


def checked_queries(queries: NDArray[np.float32], top_k: int, dim: int) -> NDArray[np.float32]:
    """Queries in a row in memory.

    Raises:
        BadQuery: top_k below one, or queries not finite or of another shape.
    """
    queries = np.ascontiguousarray(queries, np.float32)
    if queries.ndim != 2 or queries.shape[1] != dim or not len(queries):
        raise BadQuery(f"queries have shape {queries.shape}; this index wants [Q, {dim}]")
    if not np.isfinite(queries).all():
        raise BadQuery("a query holds NaN or infinity; the encoder's output must be finite unit vectors")
    if top_k < 1:
        raise BadQuery(f"top_k is {top_k}; give at least 1")
    return queries


def require_same_encoder(encoder: EncoderIdentity, built_by: dict[str, str], dim: int, where: str) -> None:
    """Make sure that an encoder's vectors may be compared with those of an index.

    Args:
        encoder: will make queries.
        built_by: name, digest and numeric family of the one that made the index.
        dim: length of its vectors.
        where: the index, for messages.

    Raises:
        IndexMismatch: it is another.
    """
    if encoder.digest != built_by["digest"] or encoder.dim != dim:
        raise IndexMismatch(
            f"{where} holds {dim}-d vectors from {built_by['name']} "
            f"({built_by['digest'][:12]}); this encoder makes {encoder.dim}-d from {encoder.name} "
            f"({encoder.digest[:12]}). Rebuild it with `python -m indexer build`, or load the matching weights"
        )
    if encoder.numbers != (family := built_by.get("numbers", _FORMER_NUMBERS)):
        raise IndexMismatch(
            f"{where} holds vectors of the numeric family {family}; this encoder makes "
            f"{encoder.numbers} ones, and the two are not compared. Rebuild it with this engine, or choose another"
        )
