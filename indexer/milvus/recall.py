"""How many of the exact answers a collection finds, measured against the folder that it was made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.index.searchable import SearchableIndex
from indexer.index.tile_index import TileIndex
from indexer.tiles.region import Region

__all__ = ["TOP", "recall_of", "turned_vectors"]

TOP = 10
_LIKENESS = 0.8
"""Of a query to the vector that it was made of."""


def turned_vectors(index: TileIndex, count: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Queries [Q, D]: vectors of tiles evenly spread, each turned away from itself by noise."""
    rows = index.live_rows
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, count).astype(np.int64))]
    random = np.random.default_rng(seed)
    own = np.stack([index.vector(int(row))[random.integers(index.anchors)] for row in rows]).astype(np.float32)
    noise = random.standard_normal(own.shape, dtype=np.float32)
    noise -= (noise * own).sum(axis=1, keepdims=True) * own
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    queries = _LIKENESS * own + np.float32(np.sqrt(1 - _LIKENESS**2)) * noise
    turned: NDArray[np.float32] = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    return turned


def recall_of(
    asked: SearchableIndex, exact: TileIndex, queries: NDArray[np.float32], *, region: Region | None = None
) -> float:
    """Share of the `TOP` exact answers that an index finds.

    Tiles are compared by name and date, since their numbers may differ.

    Args:
        asked: the index in question.
        exact: the folder, opened with `exact`.
        queries: [Q, D] unit vectors.
        region: area to search.
    """
    wanted = [_names(exact, one.rows) for one in exact.search(queries, top_k=TOP, region=region)]
    found = [_names(asked, one.rows) for one in asked.search(queries, top_k=TOP, region=region)]
    total = sum(len(one) for one in wanted)
    return sum(len(one & other) for one, other in zip(wanted, found, strict=True)) / max(1, total)


def _names(index: SearchableIndex, rows: NDArray[np.int64]) -> set[tuple[str, str | None]]:
    tiles = [index.tile(int(row)) for row in rows]
    return {(tile.tile_id, tile.date) for tile in tiles}
