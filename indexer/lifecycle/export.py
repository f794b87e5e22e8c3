"""What an index holds, for other programs: footprints as GeoJSON or GeoPackage, vectors as NumPy, itself as STAC.

Pictures as PMTiles and vectors as Lance have modules of their own.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from indexer.common.optional import load_pyogrio
from indexer.index.index_manifest import joined_bounds
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.export_lance import write_lance
from indexer.lifecycle.export_pictures import write_pmtiles
from indexer.tiles.tile_table import TileRecord
from indexer.tiles.wkb import box_wkb
from model.common.atomic_io import canonical_json, refuse_existing, staged_file, staged_folder
from model.common.counted import counted
from model.common.geo import Bounds

__all__ = ["FORMS", "export_index"]

_BLOCK_ROWS = 16_384
_EXTENSION = "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json"


def export_index(index: TileIndex, form: str, out: Path) -> int:
    """Write one file, or of Lance a folder; the number of tiles in it.

    Args:
        index: opened.
        form: one of `FORMS`.
        out: file to write; it must not exist.

    Raises:
        OutputExists: `out` is there already.
        MissingExtra: a GeoPackage, and pyogrio is not installed; a Lance dataset, and pylance is not.
        BadSource: an archive of pictures, and they are gone, or lie off the grid.
    """
    refuse_existing(out)
    if form == "lance":
        with staged_folder(out) as staged:
            write_lance(index, staged)
        return index.count
    with staged_file(out) as staged:
        return FORMS[form](index, staged) or index.count


def _records(index: TileIndex) -> Iterator[TileRecord]:
    for segment in index.segments:
        yield from (segment.tile(row) for row in segment.live_rows.tolist())


def _write_geojson(index: TileIndex, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for number, tile in enumerate(_records(index)):
            feature = {
                "type": "Feature",
                "id": tile.tile_id,
                "bbox": list(tile.bounds.as_tuple()),
                "geometry": _geometry(tile.bounds),
                "properties": _properties(tile),
            }
            file.write(("," if number else "") + "\n" + json.dumps(feature, ensure_ascii=False, allow_nan=False))
        file.write("\n]}\n")


def _properties(tile: TileRecord) -> dict[str, Any]:
    place = {"z": tile.z, "x": tile.x, "y": tile.y, "lat": tile.lat, "lon": tile.lon}
    return {"tile_id": tile.tile_id, **place, "source": tile.source, "date": tile.date}


def _geometry(bounds: Bounds) -> dict[str, Any]:
    """A polygon, or of a tile across the antimeridian two, counter-clockwise."""
    west, south, east, north = bounds.as_tuple()
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    rings = [[[[a, south], [b, south], [b, north], [a, north], [a, south]]] for a, b in spans]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _write_gpkg(index: TileIndex, path: Path) -> None:
    pyogrio = load_pyogrio()
    tiles = list(_records(index))
    edges = np.array([tile.bounds.as_tuple() for tile in tiles]).T
    rows = [_properties(tile) for tile in tiles]
    texts, numbers = ("tile_id", "source", "date"), ("lat", "lon", "z", "x", "y")
    columns: list[Any] = [np.array([row[name] for row in rows], object) for name in texts]
    columns += [np.array([np.nan if row[name] is None else row[name] for row in rows], np.float64) for name in numbers]
    buffer = io.BytesIO()
    kind = "Polygon" if bool((edges[0] <= edges[2]).all()) else "Unknown"
    options = {"layer": "tiles", "driver": "GPKG", "geometry_type": kind, "crs": "EPSG:4326"}
    pyogrio.raw.write(buffer, np.array(box_wkb(*edges), object), columns, [*texts, *numbers], **options)
    path.write_bytes(buffer.getvalue())


def _write_npy(index: TileIndex, path: Path) -> None:
    """float16 [N, A * D] in the order in which the other forms list the tiles."""
    shape = (index.count, index.anchors * index.dim)
    with path.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for segment in index.segments:
            rows = segment.live_rows
            for at in range(0, len(rows), _BLOCK_ROWS):
                file.write(np.ascontiguousarray(segment.vectors[rows[at : at + _BLOCK_ROWS]]).data)


def _write_stac(index: TileIndex, path: Path) -> None:
    """A STAC collection with the proposed extension for embeddings."""
    manifest = index.manifest
    dates = sorted({segment.date for segment in index.segments if segment.date})
    interval = [f"{dates[0]}T00:00:00Z", f"{dates[-1]}T23:59:59Z"] if dates else [None, None]
    tables = [(segment.folder / "tiles.parquet", segment.folder / "embeddings.npy") for segment in index.segments]
    assets = {}
    for number, (table, vectors) in enumerate(tables):
        names = [_seen_from(path.parent, one) for one in (table, vectors)]
        assets[f"tiles-{number}"] = {"href": names[0], "type": "application/vnd.apache.parquet", "roles": ["metadata"]}
        assets[f"embeddings-{number}"] = {"href": names[1], "type": "application/octet-stream", "roles": ["data"]}
    sources = sorted({segment.source_name for segment in index.segments})
    owners = sorted({said for segment in index.segments if (said := segment.manifest.source.get("attribution"))})
    regular = len({int(zoom) for zoom in index.zooms}) == 1 and all((one.tiles.z >= 0).all() for one in index.segments)
    bounds = joined_bounds([segment.manifest.bounds for segment in index.segments])
    collection = {
        "type": "Collection",
        "stac_version": "1.1.0",
        "stac_extensions": [_EXTENSION],
        "id": index.name,
        "description": f"Embeddings of {counted(index.count, 'satellite tile')} by {manifest.encoder['name']}",
        "license": "other",
        **({"attribution": "; ".join(owners)} if owners else {}),
        "extent": {"spatial": {"bbox": [list(bounds.as_tuple())]}, "temporal": {"interval": [interval]}},
        "links": [
            {"rel": "emb:model", "href": f"urn:sha256:{manifest.encoder['digest']}"},
            *({"rel": "emb:source-data", "href": source} for source in sources),
        ],
        "assets": assets,
        "emb:type": "chip",
        "emb:dimensions": index.dim,
        "data_type": "float16",
        "gsd": manifest.tile_size_m[1],
        "emb:chip_layout": {"layout_type": "regular_grid" if regular else "variable_grid"},
        "clnet:anchors": index.anchors,
        "clnet:encoder": manifest.encoder["digest"],
        "clnet:index": index.digest,
    }
    path.write_bytes(canonical_json(collection))


def _seen_from(folder: Path, file: Path) -> str:
    """A relative link, as it is followed from the folder of the collection."""
    return quote(Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix())


FORMS: dict[str, Callable[[TileIndex, Path], int | None]] = {
    "geojson": _write_geojson,
    "gpkg": _write_gpkg,
    "lance": write_lance,
    "npy": _write_npy,
    "pmtiles": write_pmtiles,
    "stac": _write_stac,
}
"""How each form is written; what returns a number does not hold every tile."""
