"""Pictures that an index has already, among tiles that are about to be added."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from indexer.index.geoparquet import read_tiles
from indexer.index.manifest import TILES
from indexer.index.origins import DIGEST_BYTES, read_origins
from indexer.index.tile_index import TileIndex

__all__ = ["notes_on_known_pictures"]


def notes_on_known_pictures(index: TileIndex, added: Path) -> list[str]:
    """A warning where tiles of a new segment show the very picture of tiles of an index.

    Tiles that are equal among themselves are the build's to report, and count in the manifest.

    Args:
        index: what is there.
        added: folder of the new segment.
    """
    origins = read_origins(added)
    if origins is None:
        return []
    known = np.zeros(len(origins.sha256), np.bool_)
    example: tuple[str, str] | None = None
    for segment in index.segments:
        before = read_origins(segment.folder)
        if before is None:
            continue
        rows = segment.live_rows
        found = pc.index_in(_digests(origins.sha256), value_set=_digests(before.sha256[rows])).fill_null(-1).to_numpy()
        here = np.flatnonzero(found >= 0)
        if len(here) and example is None:
            example = (
                str(read_tiles(added / TILES).tile_id[here[0]]),
                segment.tile(int(rows[found[here[0]]])).dated_name,
            )
        known[here] = True
    if example is None:
        return []
    count = int(known.sum())
    tiles_show = "new tile shows" if count == 1 else "new tiles show"
    return [
        f"warning: {count:,} {tiles_show} the very picture of one that the index has, as {example[0]} that of "
        f"{example[1]}; no photo can tell them apart"
    ]


def _digests(sha256: NDArray[np.uint8]) -> pa.Array:
    """uint8 [N, 32] as Arrow's binary of that width."""
    data = pa.py_buffer(np.ascontiguousarray(sha256).tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(DIGEST_BYTES), len(sha256), [None, data])
