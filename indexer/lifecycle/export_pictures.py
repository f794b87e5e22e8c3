"""The pictures of an index's tiles as one PMTiles archive, for maps. https://github.com/protomaps/PMTiles"""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from indexer.common.errors import BadSource
from indexer.index.index_manifest import joined_bounds
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex
from indexer.tiles.hilbert import hilbert_keys
from indexer.tiles.sources.pmtiles_directory import first_key
from indexer.tiles.sources.source import TileImage
from model.common.images import decode_image

__all__ = ["write_pmtiles"]

_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_SAMPLED = 64
_QUALITY = {"JPEG": {"quality": 90}, "PNG": {}, "WEBP": {"quality": 90}}

_Place = tuple[int, Segment, int]


def write_pmtiles(index: TileIndex, path: Path) -> int:
    """Write every tile's picture, read from the sources; of a place with several, the one added last.

    An archive holds pictures of one format: the most common one, into which others are encoded anew.

    Returns:
        How many pictures are in it.

    Raises:
        BadSource: tiles lie off the grid, or no source is on disk.
    """
    from pmtiles.tile import Compression, TileType
    from pmtiles.writer import Writer

    open_writer: Any = Writer  # which has no types

    places = _places(index)
    kind = _common_type(index, places)
    bounds, written = joined_bounds([one.manifest.bounds for one in index.segments]), 0
    with path.open("wb") as file:
        writer = open_writer(file)
        for key, segment, row in places:
            picture = segment.image(row)
            if picture is not None:
                writer.write_tile(key, _as_type(picture, kind))
                written += 1
        west, east = (-180.0, 180.0) if bounds.crosses_antimeridian else (bounds.west, bounds.east)
        edges = {"min_lon": west, "min_lat": bounds.south, "max_lon": east, "max_lat": bounds.north}
        middle = {"center_lon": bounds.centre.lon, "center_lat": bounds.centre.lat}
        header = {f"{name}_e7": round(value * 1e7) for name, value in (edges | middle).items()}
        kinds = {"tile_type": TileType[kind], "tile_compression": Compression.NONE, "center_zoom": index.zooms[0]}
        writer.finalize(header | kinds, {"name": index.name, "index": index.digest})
    return written


def _places(index: TileIndex) -> list[_Place]:
    """(archive tile id, segment, row) of every place once, ascending."""
    found: dict[int, tuple[Segment, int]] = {}
    for segment in index.segments:
        rows, tiles = segment.live_rows, segment.tiles
        if (tiles.z[rows] < 0).any():
            raise BadSource(
                f"{index.folder} holds tiles off the Web Mercator grid, of {segment.source_path}; PMTiles has none but "
                "those of the grid, so split the index by area, or export geojson"
            )
        for zoom in np.unique(tiles.z[rows]).tolist():
            own = rows[tiles.z[rows] == zoom]
            keys = first_key(zoom) + hilbert_keys(tiles.x[own].astype(np.int64), tiles.y[own].astype(np.int64), zoom)
            found |= {key: (segment, row) for key, row in zip(keys.tolist(), own.tolist(), strict=True)}
    return [(key, *found[key]) for key in sorted(found)]


def _common_type(index: TileIndex, places: list[_Place]) -> str:
    """The format that most of some pictures have."""
    chosen = places[:: max(1, len(places) // _SAMPLED)]
    pictures = [picture for _, segment, row in chosen if (picture := segment.image(row)) is not None]
    if not pictures:
        sources = ", ".join(sorted({str(segment.source_path) for segment in index.segments}))
        raise BadSource(f"no picture of {index.folder} can be read; bring its sources back: {sources}")
    return _TYPES[Counter(picture.media_type for picture in pictures).most_common(1)[0][0]]


def _as_type(picture: TileImage, kind: str) -> bytes:
    if _TYPES[picture.media_type] == kind:
        return picture.data
    image: Image.Image = decode_image(picture.data)
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **_QUALITY[kind])
    return buffer.getvalue()
