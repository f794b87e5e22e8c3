"""An index as a Lance dataset: a row a vector, with its tile and its point, for vector databases. https://lance.org"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from indexer.common.optional import load_lance
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex

__all__ = ["write_lance"]

_BLOCK_TILES = 4096
_DEGREES = ("west", "south", "east", "north")


def write_lance(index: TileIndex, folder: Path) -> None:
    """Write a dataset of every vector; `lat` and `lon` are the point on the ground that it is centred on.

    Raises:
        MissingExtra: pylance is not installed.
    """
    lance = load_lance()
    schema = _schema(index.dim)
    shutil.rmtree(folder, ignore_errors=True)  # of an export that was killed
    batches = (batch for segment in index.segments for batch in _batches(segment, schema))
    lance.write_dataset(pa.RecordBatchReader.from_batches(schema, batches), str(folder), mode="create")


def _schema(dim: int) -> pa.Schema:
    return pa.schema(
        [
            pa.field("tile_id", pa.string(), nullable=False),
            pa.field("anchor", pa.int32(), nullable=False),
            *(pa.field(name, pa.float64(), nullable=False) for name in ("lat", "lon", *_DEGREES)),
            *(pa.field(name, pa.int32()) for name in "zxy"),
            pa.field("source", pa.string(), nullable=False),
            pa.field("date", pa.date32()),
            pa.field("vector", pa.list_(pa.float16(), dim), nullable=False),
        ]
    )


def _batches(segment: Segment, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    anchors, rows = segment.anchors, segment.live_rows
    for at in range(0, len(rows), _BLOCK_TILES):
        own = rows[at : at + _BLOCK_TILES]
        tiles, which = segment.tiles.take(own), np.repeat(np.arange(len(own)), anchors)
        points = [segment.point(row, anchor) for row in own.tolist() for anchor in range(anchors)]
        off_grid = (tiles.z < 0)[which]
        columns = {
            "tile_id": np.array(tiles.tile_id.tolist(), object)[which],
            "anchor": pa.array(np.tile(np.arange(anchors, dtype=np.int32), len(own))),
            "lat": [point.lat for point in points],
            "lon": [point.lon for point in points],
            **{name: getattr(tiles, name)[which] for name in _DEGREES},
            **{name: pa.array(getattr(tiles, name)[which].astype(np.int32), mask=off_grid) for name in "zxy"},
            "source": np.array(tiles.source.tolist(), object)[which],
            "date": pa.array([segment.date] * len(which)).cast(pa.date32()),
            "vector": pa.FixedSizeListArray.from_arrays(
                pa.array(segment.vectors[own].ravel()), schema.field("vector").type.list_size
            ),
        }
        yield pa.record_batch([pa.array(columns[name]) for name in schema.names], schema=schema)
