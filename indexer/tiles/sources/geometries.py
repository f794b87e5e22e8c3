"""The geometry column of GeoParquet: which it is, in which reference system, and the extent of every row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from indexer.tiles.region import BoxRegion
from indexer.tiles.sources.stated_bounds import read_box
from indexer.tiles.wkb import Parts, extent_of_parts, wkb_parts
from model.common.counted import counted

__all__ = ["geometry_column", "geometry_extents", "require_edges"]

_WGS84 = {"OGC:CRS84", "OGC:CRS84H", "EPSG:4326", "EPSG:4979"}
_WGS84_NAMES = {"WGS 84", "WGS84", "WGS 84 (CRS84)"}
_NATIVE = {"point": 0, "polygon": 2, "multipolygon": 3}
"""Lists around a coordinate in GeoParquet's native encodings."""

_ROUNDED_DEG = 1e-4
"""Coverings are often kept in single precision."""

_CORNERS = ("xmin", "ymin", "xmax", "ymax")

_Floats = NDArray[np.float64]
_SCATTERED = 0.25


def geometry_column(table: pa.Table, path: Path) -> str | None:
    """Name of the column that holds the footprints, or None where there is none.

    Raises:
        BadSource: the file's own description contradicts it.
    """
    about = _description(table, path)
    if not about:
        return "geometry" if "geometry" in table.column_names else None
    described = about.get("columns")
    columns = list(described) if isinstance(described, dict) else []
    name = about.get("primary_column") or (columns[0] if len(columns) == 1 else None)
    if not isinstance(name, str) or name not in table.column_names:
        raise BadSource(
            f"{path} says that its primary_column is {name!r}; its columns are {', '.join(table.column_names)}"
        )
    return name


def geometry_extents(table: pa.Table, name: str, path: Path, notes: list[str] | None = None) -> _Floats:
    """float64 [N, 4] (west, south, east, north) of every row; `west > east` crosses the antimeridian.

    Args:
        table: the list.
        name: of the column.
        path: of the list, for errors.
        notes: gets a remark where parts of a shape lie apart.

    Raises:
        BadSource: another reference system or encoding, or a row that is no point, polygon or multipolygon.
    """
    columns = _description(table, path).get("columns")
    about = columns.get(name) if isinstance(columns, dict) else None
    about = about if isinstance(about, dict) else {}
    _require_degrees(about, path)
    _require_degrees(_extension_of(table.schema.field(name)), path)
    column = table[name]
    if isinstance(column.type, pa.ExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    read = _reader(str(about.get("encoding", "WKB")), column.type, name, path)
    extents = np.empty((len(column), 4), np.float64)
    scattered: list[int] = []
    for row, value in enumerate(column.to_pylist()):
        if value is None:
            raise BadSource(f"row {row + 1} of {path} has no {name}; give a point or polygon for every tile")
        try:
            parts = read(value)
            extents[row] = extent_of_parts(parts)
            if len(parts) > 1 and _filled_share(parts, extents[row]) < _SCATTERED:
                scattered.append(row)
        except BadSource as error:
            raise BadSource(f"row {row + 1} of {path}: {error}") from error
        except (TypeError, KeyError, ValueError) as error:
            raise BadSource(f"row {row + 1} of {path}: {name} is no geometry ({error!r})") from error
    _require_stated_place(extents, about.get("bbox"), name, path)
    _require_covering(extents, _covering_of(table, about), path)
    if scattered and notes is not None:
        rows = counted(len(scattered), "row", "has a shape", "have shapes")
        notes.append(
            f"warning: {rows} of several parts that lie apart (row {scattered[0] + 1} the "
            "first); a tile is taken for the box around them, whose middle may lie in none of them"
        )
    return extents


def require_edges(table: pa.Table, edges: _Floats, path: Path) -> None:
    """Make sure that edges in columns of their own and geometries, where they can be read, are the same places.

    Args:
        table: the list.
        edges: float64 [N, 4] (west, south, east, north).
        path: of the list, for errors.

    Raises:
        BadSource: a row's lie apart.
    """
    try:
        name = geometry_column(table, path)
        extents = None if name is None else geometry_extents(table, name, path)
    except BadSource:  # of another system or kind, or damaged; the edges say enough
        return
    _require_covering(extents if extents is not None else edges, edges, path, "its edges west, south, east, north say")


def _filled_share(parts: Parts, extent: _Floats) -> float:
    """How much of a shape's box the boxes of its parts fill, those of holes counted too."""
    west, south, east, north = extent.tolist()
    whole = ((east - west) % 360.0 or 360.0) * (north - south)
    filled = sum(float(np.prod(np.ptp(part, axis=0))) for part in parts if len(part))
    return filled / whole if whole else 1.0


def _extension_of(field: pa.Field) -> dict[str, Any]:
    """What Arrow's own description of the column says, as GeoArrow writes it, where it names a reference system."""
    try:
        content = json.loads((field.metadata or {}).get(b"ARROW:extension:metadata", b"{}"))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and content.get("crs") else {}


def _require_stated_place(extents: _Floats, stated: Any, name: str, path: Path) -> None:
    """Refuse geometries that all lie elsewhere than the file says, as those with latitude first do."""
    half = len(stated) // 2 if isinstance(stated, list) else 0
    box = read_box([*stated[:2], *stated[half : half + 2]]) if half in (2, 3) else None
    if box is None or not len(extents) or BoxRegion(box).mask(*extents.T).any():
        return
    row = ", ".join(f"{edge:g}" for edge in extents[0])
    raise BadSource(
        f"{path} says that {name} lies in {', '.join(f'{edge:g}' for edge in box.as_tuple())}, but no row does; row 1 "
        f"lies in {row} (west, south, east, north). Are latitude and longitude swapped? If the rows are right, write "
        "the file again without that bbox"
    )


def _covering_of(table: pa.Table, about: dict[str, Any]) -> _Floats | None:
    """float64 [N, 4] (west, south, east, north) that the file keeps beside each geometry for readers to filter by."""
    covering = about.get("covering")
    box = covering.get("bbox") if isinstance(covering, dict) else None
    if not isinstance(box, dict):  # before version 1.1 it had this name, and nothing said so
        box = {edge: ["bbox", edge] for edge in _CORNERS}
    try:
        flat = table.select(list({path[0] for path in box.values()})).flatten()
        edges = [flat[".".join(box[edge])] for edge in _CORNERS]
        return np.stack([edge.cast(pa.float64()).to_numpy() for edge in edges], axis=1)
    except (KeyError, IndexError, TypeError, ValueError, pa.ArrowException):
        return None  # what cannot be read decides nothing


def _require_covering(
    extents: _Floats, boxes: _Floats | None, path: Path, beside: str = "its covering column says"
) -> None:
    """Refuse geometries that lie elsewhere than the boxes kept beside them, as those with latitude first do."""
    if boxes is None:
        return
    west, south, east, north = extents.T
    low_x, low_y, high_x, high_y = boxes.T
    plain = (west <= east) & (low_x <= high_x)
    apart = (south > high_y + _ROUNDED_DEG) | (north < low_y - _ROUNDED_DEG)
    apart |= plain & ((west > high_x + _ROUNDED_DEG) | (east < low_x - _ROUNDED_DEG))
    if apart.any():
        row = int(np.argmax(apart))
        said, found = (", ".join(f"{edge:g}" for edge in box[row]) for box in (boxes, extents))
        raise BadSource(
            f"row {row + 1} of {path} lies in {found} (west, south, east, north), and {beside} {said}. Are latitude "
            "and longitude swapped? If the geometries are right, write the file again without the other"
        )


def _description(table: pa.Table, path: Path) -> dict[str, Any]:
    try:
        about = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
    except (ValueError, RecursionError) as error:
        raise BadSource(f"{path} has a damaged `geo` description: {error}") from error
    if not isinstance(about, dict):
        raise BadSource(f"{path} has a `geo` description that is a {type(about).__name__}; GeoParquet has an object")
    return about


def _reader(encoding: str, kind: pa.DataType, name: str, path: Path) -> Callable[[Any], Parts]:
    """How to read one value of the column."""
    if encoding.upper() == "WKB" and _is_binary(kind):
        return wkb_parts
    if encoding.upper() == "WKB" and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return lambda value: wkb_parts(_from_hexadecimal(value))  # as databases print it
    depth = _NATIVE.get(encoding)
    if depth is not None and _nesting(kind) == depth:
        return lambda value: _native_parts(value, depth)
    raise BadSource(
        f"column {name} of {path} is encoded as {encoding!r} ({str(kind)[:60]}); WKB, point, polygon and multipolygon "
        "are read, so write it as WKB"
    )


def _from_hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadSource(
            f"a geometry is text, but not WKB in hexadecimal: it starts with {text[:20]!r}; write it as WKB"
        ) from None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _nesting(kind: pa.DataType) -> int:
    """Lists around a coordinate, which is a struct of x and y or a list of fixed size; -1 where it is none."""
    depth = 0
    while pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind, depth = kind.value_type, depth + 1
    if pa.types.is_fixed_size_list(kind):
        return depth if pa.types.is_floating(kind.value_type) and kind.list_size >= 2 else -1
    fields = {field.name for field in kind} if pa.types.is_struct(kind) else set()
    return depth if fields >= {"x", "y"} else -1


def _native_parts(value: Any, depth: int) -> Parts:
    """Rings as [N, 2] (lon, lat)."""
    if depth > 2:
        return [ring for polygon in value for ring in _native_parts(polygon, depth - 1)]
    rings = [[value]] if depth == 0 else value
    return [np.array([_lon_lat(point) for point in ring], np.float64).reshape(-1, 2) for ring in rings]


def _lon_lat(point: Any) -> tuple[float, float]:
    return (point["x"], point["y"]) if isinstance(point, dict) else (point[0], point[1])


def _require_degrees(about: dict[str, Any], path: Path) -> None:
    """Refuse another reference system than longitude and latitude on WGS 84, which an absent one means."""
    if "crs" not in about:
        return
    name = _crs_name(about["crs"])
    if name.upper() not in _WGS84:
        raise BadSource(f"{path} has geometries in reference system {name}; transform them to EPSG:4326 first")


def _crs_name(crs: Any) -> str:
    """`AUTHORITY:CODE` of a reference system as PROJJSON or, as older files have it, as text."""
    if isinstance(crs, str):
        return _name_in_text(crs.strip())
    if not isinstance(crs, dict):
        return "unknown"
    given = crs.get("id")
    if isinstance(given, dict) and "code" in given:
        return f"{given.get('authority', 'EPSG')}:{given['code']}"
    if crs.get("type") == "GeographicCRS" and crs.get("name") in _WGS84_NAMES:
        return _own_degrees(crs) or "OGC:CRS84"
    return str(crs.get("name", "unknown"))[:60]


def _own_degrees(crs: dict[str, Any]) -> str:
    """What is unlike degrees from Greenwich in a geographic system of PROJJSON; "" for nothing."""
    datum = crs.get("datum")
    meridian = datum.get("prime_meridian") if isinstance(datum, dict) else None
    if isinstance(meridian, dict) and meridian.get("longitude"):
        return f"WGS 84 counted from the meridian of {meridian.get('name', 'elsewhere')}"
    system = crs.get("coordinate_system")
    axes = system.get("axis") if isinstance(system, dict) else None
    units = [axis.get("unit", "degree") for axis in axes or () if isinstance(axis, dict)]
    other = [unit for unit in units if unit != "degree"]
    return f"WGS 84 in {other[0].get('name') if isinstance(other[0], dict) else other[0]}" if other else ""


def _name_in_text(text: str) -> str:
    """Of `EPSG:4326`, `urn:ogc:def:crs:OGC:1.3:CRS84`, or well-known text by its name."""
    if re.match(r'GEO(GCS|GCRS|DCRS)\["WGS[ _]?(19)?84"', text, re.IGNORECASE):
        meridian = re.search(r'PRIMEM(?:ERIDIAN)?\["([^"]*)",\s*([-\d.]+)', text, re.IGNORECASE)
        if meridian and meridian[2].strip("0.-"):
            return f"WGS 84 counted from the meridian of {meridian[1]}"
        return "EPSG:4326"
    urn = re.fullmatch(r"(?:urn:ogc:def:crs:)?(\w+):(?:[\d.]*:)?(\w+)", text)
    return f"{urn[1]}:{urn[2]}" if urn else text[:60] or "unknown"
