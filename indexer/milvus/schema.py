"""A collection's fields: a row for each vector, with the tile that it belongs to. Degrees of WGS 84."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from indexer.index.segment import Segment
from indexer.tiles.tile_table import TileRecord
from model.common.geo import Bounds

__all__ = ["DAY", "ID", "REACH", "TILE_FIELDS", "VECTOR", "day_of", "entities", "make_schema", "tile_of", "widths"]

ID = "id"
"""Number of the vector: that of its tile times the number of anchors, and its anchor."""
VECTOR = "vector"
DAY = "day"
"""When the picture was taken, as 20260601; 0 where nobody said."""
REACH = "reach"
"""The eastern edge, but 360 more where the tile lies over the antimeridian, so that it is never west of the western."""
_DEGREES = ("west", "south", "east", "north", REACH, "lat", "lon")
_WHOLE = (DAY, "z", "x", "y")
_TEXTS = ("tile", "source")
TILE_FIELDS = [*_DEGREES, *_WHOLE, *_TEXTS]
_LEAST_WIDTH = 16
_BLOCK = 65_536


def make_schema(library: Any, dim: int, width: Mapping[str, int]) -> Any:
    """The schema of a collection; `width` is the bytes that the texts take at most."""
    kinds = library.DataType
    schema = library.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(ID, kinds.INT64, is_primary=True)
    schema.add_field(VECTOR, kinds.FLOAT_VECTOR, dim=dim)
    for name in _DEGREES:
        schema.add_field(name, kinds.DOUBLE)
    for name in _WHOLE:
        schema.add_field(name, kinds.INT64)
    for name in _TEXTS:
        schema.add_field(name, kinds.VARCHAR, max_length=width[name])
    return schema


def widths(segments: tuple[Segment, ...]) -> dict[str, int]:
    """Bytes that the longest text of each kind takes, with some to spare."""
    found = dict.fromkeys(_TEXTS, _LEAST_WIDTH)
    for segment in segments:
        for name, column in (("tile", segment.tiles.tile_id), ("source", segment.tiles.source)):
            for at in range(0, len(column), _BLOCK):
                some = column[np.arange(at, min(at + _BLOCK, len(column)))]
                found[name] = max(found[name], *(len(text.encode()) for text in some.tolist()))
    return found


def entities(segment: Segment, rows: np.ndarray, first: int) -> list[dict[str, Any]]:
    """The rows of a collection for some tiles of a segment, numbered from tile `first`."""
    anchors, day = segment.anchors, day_of(segment.date)
    vectors = segment.vectors[rows].astype(np.float32).reshape(len(rows), anchors, -1)
    made = []
    for number, row in enumerate(rows.tolist()):
        tile = _columns(segment.tiles.record(row), day)
        for anchor in range(anchors):
            key = {ID: (first + number) * anchors + anchor, VECTOR: vectors[number, anchor]}
            made.append(key | tile)
    return made


def _columns(tile: TileRecord, day: int) -> dict[str, Any]:
    bounds = tile.bounds
    z, x, y = (-1 if value is None else value for value in (tile.z, tile.x, tile.y))
    west, south, east, north = bounds.as_tuple()
    reach = east if east >= west else east + 360.0
    edges = {"west": west, "south": south, "east": east, "north": north, REACH: reach}
    return edges | {"lat": tile.lat, "lon": tile.lon, DAY: day, "z": z, "x": x, "y": y,
                    "tile": tile.tile_id, "source": tile.source}  # fmt: skip


def tile_of(row: Mapping[str, Any]) -> TileRecord:
    """The tile of a row that was found."""
    z, x, y = (None if row["z"] < 0 else int(row[name]) for name in "zxy")
    day = int(row[DAY])
    date = f"{day // 10_000:04}-{day // 100 % 100:02}-{day % 100:02}" if day else None
    bounds = Bounds(row["west"], row["south"], row["east"], row["north"])
    return TileRecord(row["tile"], z, x, y, row["lat"], row["lon"], bounds, row["source"], date)


def day_of(date: str | None) -> int:
    """A date YYYY-MM-DD as a number that grows with it; 0 for none."""
    return int(date.replace("-", "")) if date else 0
