"""Which tiles of a table are in a segment already: those of the same name at the same place."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from indexer.index.segment import Segment
from indexer.tiles.tile_table import TileTable

__all__ = ["live_tiles", "rows_among", "rows_of_same"]

_SAME_PLACE_DEG = 1e-6
"""A decimetre: lists write coordinates with as many digits as they like."""


def rows_of_same(segment: Segment, tiles: TileTable) -> NDArray[np.int64]:
    """int64 [N], the segment's row of each tile; -1 where it has none, or has removed it."""
    return rows_among(segment.tiles, segment.live_rows, tiles)


def rows_among(table: TileTable, live: NDArray[np.int64], tiles: TileTable) -> NDArray[np.int64]:
    """int64 [N], the row of a table, among its `live` ones, of each tile; -1 where there is none."""
    names = pa.array(table.tile_id[live].tolist(), pa.string())
    found = pc.index_in(pa.array(tiles.tile_id.tolist(), pa.string()), value_set=names)
    places = found.fill_null(-1).to_numpy().astype(np.int64)
    rows = np.where(places < 0, -1, live[places]) if len(live) else np.full(len(tiles), -1, np.int64)
    known = np.flatnonzero(rows >= 0)
    for one, other in ((table.west, tiles.west), (table.south, tiles.south)):
        apart = np.abs(one[rows[known]] - other[known]) > _SAME_PLACE_DEG
        rows[known[apart]] = -1
        known = known[~apart]
    return rows


def live_tiles(segment: Segment) -> TileTable:
    """The tiles of a segment that are part of the index."""
    return segment.tiles.take(segment.live_rows)
