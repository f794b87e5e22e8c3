"""The tile table as GeoParquet 1.1: one row a vector, footprints as WKB polygons. https://geoparquet.org"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from indexer.common.errors import IndexDamaged
from indexer.index.origins import DIGEST_BYTES, Origins
from indexer.tiles.names import GridNames, TextColumn
from indexer.tiles.tile_table import TileTable
from indexer.tiles.wkb import box_wkb

__all__ = ["read_tiles", "write_tiles"]

_GRID = ("z", "x", "y")
_DEGREES = ("lat", "lon", "west", "south", "east", "north")
_COVERING = ("xmin", "ymin", "xmax", "ymax")
_SCHEMA = pa.schema(
    [
        pa.field("tile_id", pa.string(), nullable=False),
        *(pa.field(name, pa.int32()) for name in _GRID),
        *(pa.field(name, pa.float64(), nullable=False) for name in _DEGREES),
        pa.field("source", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64()),
        pa.field("sha256", pa.binary(DIGEST_BYTES)),
        pa.field("geometry", pa.binary(), nullable=False),
        pa.field(
            "bbox", pa.struct([pa.field(name, pa.float64(), nullable=False) for name in _COVERING]), nullable=False
        ),
    ]
)
_READ = [field for field in _SCHEMA if field.name not in ("geometry", "bbox", "size_bytes", "sha256")]
"""What is read back; older folders have no column `bbox`, and none that tells what a tile was read from."""
_ROW_GROUP = 65_536
_NAMES, _GRID_NAMES = b"names", b"z/x/y"
"""Key and value that say that every tile's name follows from its place on the grid, so that it need not be read."""


def write_tiles(path: Path, table: TileTable, origins: Origins | None = None) -> None:
    """Write the table, and what the tiles were read from but its stamps; equal tables give equal bytes."""
    metadata = {b"geo": json.dumps(_geo_metadata(table), sort_keys=True).encode()}
    if bool((table.z >= 0).all()) and GridNames(table.z, table.x, table.y).tolist() == table.tile_id.tolist():
        metadata[_NAMES] = _GRID_NAMES
    schema = _SCHEMA.with_metadata(metadata)
    # A Python file, because its errors carry the reason (no space left, say).
    with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, len(table), _ROW_GROUP):
            rows = np.arange(start, min(start + _ROW_GROUP, len(table)))
            writer.write_table(_arrow(table.take(rows), schema, origins.take(rows) if origins else None))


def read_tiles(path: Path) -> TileTable:
    """Read the table back; sizes and stamps, which it does not hold, are zero.

    Raises:
        IndexDamaged: not Parquet, or without a column.
    """
    try:
        with pq.ParquetFile(path) as file:
            _require_columns(path, file)
            columns = _read_columns(file)
    except (pa.ArrowException, OSError) as error:
        raise IndexDamaged(f"{path} cannot be read: {error}; rebuild the index") from error
    if any(np.isnan(columns[name]).any() for name in _DEGREES):
        raise IndexDamaged(f"{path} lacks coordinates; rebuild the index")
    pa.default_memory_pool().release_unused()
    zeros = np.broadcast_to(np.int64(0), len(columns["lat"]))  # takes no memory
    return TileTable(**columns, size_bytes=zeros, stamp=zeros)


def _read_columns(file: pq.ParquetFile) -> dict[str, Any]:
    """Every column in as few bytes as it needs, a row group at a time; grid columns are -1 off the grid."""
    count = file.metadata.num_rows
    kinds = {"z": np.int8, "x": np.int32, "y": np.int32} | dict.fromkeys(_DEGREES, np.float64)
    columns: dict[str, Any] = {name: np.empty(count, kind) for name, kind in kinds.items()}
    grid_names = (file.schema_arrow.metadata or {}).get(_NAMES) == _GRID_NAMES
    texts: dict[str, list[pa.Array]] = {name: [] for name in (("source",) if grid_names else ("tile_id", "source"))}
    start = 0
    for number in range(file.num_row_groups):
        group = file.read_row_group(number, [*kinds, *texts]).combine_chunks()
        for name in kinds:
            whole = columns[name][start : start + len(group)]
            whole[:] = np.concatenate([_numbers(chunk, name) for chunk in group[name].chunks] or [whole])
        for name, parts in texts.items():
            parts += [_in_own_memory(chunk) for chunk in group[name].chunks]
        start += len(group)
    for name, parts in texts.items():
        columns[name] = TextColumn(pa.chunked_array(parts, pa.string()))
    return columns if not grid_names else columns | {"tile_id": GridNames(*(columns[name] for name in _GRID))}


def _numbers(chunk: pa.Array, name: str) -> NDArray[Any]:
    """A column's numbers, -1 or NaN for those that are not there.

    Read from its memory, since Arrow's own conversions load its compute functions, and pandas where that is installed:
    together more than all else that a search of one photo loads.
    """
    kind, none = (np.dtype(np.int32), -1) if name in _GRID else (np.dtype(np.float64), np.nan)
    valid, numbers = chunk.buffers()
    if not len(chunk):
        return np.empty(0, kind)
    found = np.frombuffer(numbers, kind, len(chunk), chunk.offset * kind.itemsize)
    if valid is None or not chunk.null_count:
        return found
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")[chunk.offset : chunk.offset + len(chunk)]
    return np.where(bits.astype(np.bool_), found, kind.type(none))


def _in_own_memory(chunk: pa.Array) -> pa.Array:
    """The same strings in memory that is not Arrow's, so that all that Arrow took for reading can be given back."""
    start, stop = chunk.offset, chunk.offset + len(chunk)
    offsets = np.frombuffer(chunk.buffers()[1], np.int32)[start : stop + 1]
    data = np.frombuffer(chunk.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]].copy()
    return pa.StringArray.from_buffers(len(chunk), pa.py_buffer(offsets - offsets[0]), pa.py_buffer(data))


def _require_columns(path: Path, file: pq.ParquetFile) -> None:
    wanted = {field.name: field.type for field in _READ}
    found = {field.name: field.type for field in file.schema_arrow if field.name in wanted}
    if found != wanted:
        raise IndexDamaged(f"{path} has columns {found}; this version reads {wanted}, rebuild the index")


def _arrow(table: TileTable, schema: pa.Schema, origins: Origins | None) -> pa.Table:
    off_grid = table.z < 0
    columns: dict[str, Any] = {name: getattr(table, name) for name in _DEGREES}
    columns |= {name: pa.array(getattr(table, name).astype(np.int32), mask=off_grid) for name in _GRID}
    columns |= {name: pa.array(getattr(table, name).tolist(), pa.string()) for name in ("tile_id", "source")}
    columns |= _origin_columns(origins, len(table))
    columns["geometry"] = pa.array(box_wkb(table.west, table.south, table.east, table.north), pa.binary())
    columns["bbox"] = _covering(table)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _origin_columns(origins: Origins | None, count: int) -> dict[str, pa.Array]:
    if origins is None:
        return {"size_bytes": pa.nulls(count, pa.int64()), "sha256": pa.nulls(count, pa.binary(DIGEST_BYTES))}
    digests = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(DIGEST_BYTES), count, [None, pa.py_buffer(np.ascontiguousarray(origins.sha256))]
    )
    return {"size_bytes": pa.array(origins.size_bytes), "sha256": digests}


def _covering(table: TileTable) -> pa.Array:
    """A box in plain degrees around each row, by which readers skip what they do not want.

    Readers compare `xmin` and `xmax` as numbers, so a row across the antimeridian is given all longitudes.
    """
    crossing = table.west > table.east
    west, east = np.where(crossing, -180.0, table.west), np.where(crossing, 180.0, table.east)
    return pa.StructArray.from_arrays(
        [pa.array(edge) for edge in (west, table.south, east, table.north)], fields=list(_SCHEMA.field("bbox").type)
    )


def _geo_metadata(table: TileTable) -> dict[str, Any]:
    """The file's `geo` key. Without a `crs` it means longitude and latitude on WGS 84."""
    kinds = ["Polygon", "MultiPolygon"] if np.any(table.west > table.east) else ["Polygon"]
    column = {
        "encoding": "WKB",
        "geometry_types": kinds,
        "orientation": "counterclockwise",
        "bbox": list(table.bounds.as_tuple()),
        "covering": {"bbox": {name: ["bbox", name] for name in _COVERING}},
    }
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
