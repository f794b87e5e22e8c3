"""Files beside tiles that describe them: tilemapresource.xml, metadata.json, TileJSON and WMTS capabilities."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from indexer.tiles.grid import MAX_ZOOM, MERCATOR_HALF_M
from indexer.tiles.sources.claims import Claim
from indexer.tiles.sources.scanning import files_beside
from indexer.tiles.sources.stated_bounds import either_order, in_degrees, place_of, read_box, stated_boxes
from model.common.geo import Bounds, LatLon
from model.common.plain_files import read_plain

__all__ = ["description_files", "folder_claims", "metadata_claim"]

_LARGEST_BYTES = 1 << 20
_MOST_FILES = 32
_DESCRIPTIONS = {"metadata.json", "tilejson.json"}
"""Files that are read whether or not they say what they are."""
_MERCATOR = {"3857", "900913", "102100", "102113", "3785", "41001", "3587"}
_OTHER_PROFILES = {"geodetic", "global-geodetic", "raster", "custom"}
_SYSTEM_KEYS = ("crs", "srs", "projection", "spatialReference", "tileMatrixSetURI", "tileMatrixSet", "tileMatrixSetId")
_OTHER_SETS = re.compile(r"UTM\d|UPS|ETRS89|NZTM|LINZ|Canadian|WGS1984Quad|WorldMercatorWGS84", re.IGNORECASE)
"""Tile matrix sets of the OGC's register that are not on the Web Mercator grid and name no system in numbers."""
_WKT = re.compile(r"\s*(GEOG|PROJ|BOUND|COMPD)[A-Z]*\[")
_TILE_MAP = "tilemapresource.xml"
_LEAFLET_LAYER = re.compile(
    rb"L\.tileLayer\(\s*['\"](?:\./)?\{z\}/\{x\}/\{y\}[^)]*?\btms['\"]?\s*:\s*(true|false|1|0)\b"
)
_OPENLAYERS_LAYER = re.compile(rb"OpenLayers\.Layer\.TMS\(\s*['\"][^'\"]*['\"]\s*,\s*['\"](?:\./)?['\"]")
"""Of the second OpenLayers, over the tiles beside the page."""
_ORIGIN_M = 100.0
"""How far from the corner of the Web Mercator map a grid may start, for writers that round."""


def folder_claims(root: Path) -> list[Claim]:
    """What the descriptions in a tile folder say; those that cannot be read are passed over."""
    claims: list[Claim] = []
    for path in description_files(root):
        if path.stat().st_size <= _LARGEST_BYTES:
            claims += _claims_of(path)
    return claims


def description_files(root: Path) -> list[Path]:
    """The files directly in a tile folder that may describe it."""
    return files_beside(root, _READERS)[:_MOST_FILES]


def metadata_claim(origin: str, values: Mapping[str, Any]) -> Claim:
    """What the metadata of MBTiles, a `metadata.json` or a TileJSON says, a document inside its key `json` included."""
    values = {**_inner(values.get("json")), **values}
    boxes, unread = stated_boxes(values)
    scheme = str(values.get("scheme", "")).strip().lower()
    return Claim(
        origin,
        scheme=_template_order(values.get("tiles")) or (scheme if scheme in ("xyz", "tms") else ""),
        boxes=boxes,
        centres=_centres(values.get("center")),
        zooms=_zooms(values.get("minzoom"), values.get("maxzoom")),
        other_grid=_other_grid(values.get("profile"), _system_of(values)),
        note=f"warning: {origin} gives bounds that cannot be read: {unread[:60]!r}" if unread else "",
    )


def _centres(values: Any) -> tuple[LatLon, ...]:
    """The places that a centre may mean, longitude first or latitude; none where it is null island, as a default."""
    numbers = place_of(values)
    found: list[LatLon] = []
    for lon, lat in (numbers, numbers[::-1]) if numbers and any(numbers) else ():
        with suppress(ValueError):
            found.append(LatLon(lat, lon))
    return tuple(found)


def _inner(text: Any) -> dict[str, Any]:
    """The document in the key `json` of MBTiles, into which some writers put what does not fit elsewhere."""
    try:
        content = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _zooms(least: Any, most: Any) -> tuple[int, int] | None:
    """(least, most) as numbers or text, or the widest where one is not given; None where one is no number."""
    if least is None and most is None:
        return None
    try:
        return int(least or 0), MAX_ZOOM if most is None else int(most)
    except (TypeError, ValueError, OverflowError):
        return None


def _claims_of(path: Path) -> list[Claim]:
    name = path.name.lower()
    try:
        data = read_plain(path)
        return list(_READERS[path.suffix.lower()](path.name, data))
    except (OSError, ValueError, RecursionError, ElementTree.ParseError) as error:
        if name not in (*_DESCRIPTIONS, _TILE_MAP):
            return []
        note = f"warning: {path.name} cannot be read ({str(error)[:80]})"
        if name != _TILE_MAP:
            return [Claim(path.name, note=f"{note}; what it says is not used")]
        return [Claim(path.name, "tms", note=f"{note}; rows are taken from the south, as all that have such a file")]


def _from_json(name: str, data: bytes) -> Iterable[Claim]:
    content = json.loads(data)
    if isinstance(content, list) and name.lower() in _DESCRIPTIONS:  # as the table of MBTiles has them
        rows = [row for row in content if isinstance(row, dict) and row.keys() >= {"name", "value"}]
        content = {str(row["name"]): row["value"] for row in rows}
        if not content:
            raise ValueError("it is a list without names and values")
    if not isinstance(content, dict):
        return
    addresses = isinstance(content.get("tiles"), list)
    if addresses or name.lower() in _DESCRIPTIONS or {"tilejson", "tileInfo"} & set(content):
        yield metadata_claim(name, content)


def _from_xml(name: str, data: bytes) -> Iterable[Claim]:
    root = ElementTree.fromstring(data)
    if _tag(root) == "TileMap":
        yield _tms_claim(name, root)
    elif _tag(root) == "Capabilities":
        yield _wmts_claim(name, root)


def _from_html(name: str, data: bytes) -> Iterable[Claim]:
    """A page that shows the tiles beside it, as gdal2tiles writes one."""
    layers = re.findall(_LEAFLET_LAYER, data)
    said = {layer in (b"true", b"1") for layer in layers}
    if re.search(rb"""['"]\./\{z\}/\{x\}/\{-y\}""", data) or re.search(_OPENLAYERS_LAYER, data):
        said.add(True)
    if len(said) == 1:
        yield Claim(name, "tms" if said.pop() else "xyz")


def _tms_claim(name: str, root: ElementTree.Element) -> Claim:
    """A Tile Map Service description; its rows always count from the south."""
    sets = _first(root, "TileSets")
    profile = None if sets is None else sets.get("profile")
    box = _first(root, "BoundingBox")
    edges = [] if box is None else [box.get(edge) for edge in ("minx", "miny", "maxx", "maxy")]
    other = _other_grid(profile, _text(root, "SRS")) or _other_tms_zooms(root)
    return Claim(name, "tms", _tms_boxes(edges), other_grid=other)


def _other_tms_zooms(root: ElementTree.Element) -> str:
    """Zooms that are counted otherwise: the profile of the specification itself starts with 2 x 2 tiles."""
    form = _first(root, "TileFormat")
    width_px = _number("256" if form is None else form.get("width"))
    for one in (element for element in root.iter() if _tag(element) == "TileSet"):
        folder = str(one.get("href", "")).rstrip("/").rpartition("/")[2]
        pixel_m = _number(one.get("units-per-pixel"))
        # gdal2tiles gives the pixel of a tile of 256 whatever its tiles have.
        if (other := _other_zoom(folder, pixel_m * width_px)) and _other_zoom(folder, pixel_m * 256):
            return other
    return ""


def _other_wmts_zooms(root: ElementTree.Element) -> str:
    """Likewise for the tile matrices of WMTS, a pixel of which is 0.28 mm, and where they start elsewhere."""
    for one in (element for element in root.iter() if _tag(element) == "TileMatrix" and len(element)):
        corner = [_number(part) for part in _text(one, "TopLeftCorner").split()]
        if len(corner) == 2 and math.hypot(corner[0] + MERCATOR_HALF_M, corner[1] - MERCATOR_HALF_M) > _ORIGIN_M:
            return f"a grid that starts at {corner[0]:.10g}, {corner[1]:.10g} m"
        side_m = _number(_text(one, "ScaleDenominator")) * 0.00028 * _number(_text(one, "TileWidth"))
        if other := _other_zoom(_text(one, "Identifier").rpartition(":")[2], side_m):
            return other
    return ""


def _other_zoom(name: str, side_m: float) -> str:
    """The zoom that tiles of some projected metres have, in words, where they are named by another number."""
    if not name.isascii() or not name.isdigit() or len(name) > 2 or not side_m > 0:
        return ""
    zoom = math.log2(2 * MERCATOR_HALF_M / side_m)
    return "" if abs(zoom - int(name)) < 0.01 else f"a grid whose level {name} has the tile size of zoom {zoom:.2f}"


def _number(text: str | None) -> float:
    """Not a number where the text is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _tms_boxes(edges: list[str | None]) -> tuple[Bounds, ...]:
    """The box in degrees; older writers put latitude first, others give metres."""
    try:
        values = [float(edge or "") for edge in edges]
    except ValueError:
        return ()
    return either_order(in_degrees(values))


def _wmts_claim(name: str, root: ElementTree.Element) -> Claim:
    """WMTS capabilities: rows from the north, before the column where the address template says so."""
    systems = [str(element.text).strip() for element in root.iter() if _tag(element) == "SupportedCRS"]
    grids = [_other_grid(None, system) for system in systems]
    templates = [element.get("template", "") for element in root.iter() if _tag(element) == "ResourceURL"]
    order = _template_order(templates)
    box = _first(root, "WGS84BoundingBox")
    corners = "" if box is None else f"{_text(box, 'LowerCorner')} {_text(box, 'UpperCorner')}"
    read = read_box(corners.split())
    return Claim(
        name,
        scheme=order,
        boxes=() if read is None else (read,),
        other_grid=grids[0] if grids and all(grids) else "" if any(grids) else _other_wmts_zooms(root),
    )


def _template_order(templates: Any) -> str:
    """The order of rows that address templates agree on: `zyx` or `xyz` of WMTS, `zyx` or `tms` of TileJSON."""
    orders = set()
    for template in templates if isinstance(templates, list) else []:
        text = str(template)
        if "{TileRow}" in text and "{TileCol}" in text:
            orders.add("zyx" if text.find("{TileRow}") < text.find("{TileCol}") else "xyz")
        elif "{-y}" in text:
            orders.add("tms")
        elif -1 < text.find("{y}") < text.find("{x}"):
            orders.add("zyx")
    return orders.pop() if len(orders) == 1 else ""


def _other_grid(profile: Any, system: Any) -> str:
    """The grid that a profile or reference system names, empty where it is that of Web Mercator or nothing is said."""
    if isinstance(profile, str) and profile.strip().lower() in _OTHER_PROFILES:
        return f"the profile {profile.strip()!r}"
    if not isinstance(system, str):
        return ""
    if "crs84" in system.lower():
        return "the reference system CRS84"
    if system.strip().lower() in _OTHER_PROFILES or _OTHER_SETS.search(system.rpartition("/")[2]):
        return f"the reference system {system.strip()[:40]}"
    if wkt := _WKT.match(system):
        codes = re.findall(r'"EPSG",\s*"?(\d+)', system)
        if wkt[1] == "GEOG" and not codes:
            return "a reference system in degrees"
        system = f"EPSG:{codes[-1]}" if codes else ""
    numbers = re.findall(r"\d+", system.rpartition(":")[2])
    if not numbers or numbers[-1] in _MERCATOR or not (":" in system or system.strip().isdigit()):
        return ""
    return f"the reference system {system.strip()[:40]}"


def _system_of(values: Mapping[str, Any]) -> str:
    """The reference system or the set of tile matrices that a document names, empty where it names none."""
    inner = values.get("tileInfo")  # of ArcGIS
    for one in (values, inner if isinstance(inner, dict) else {}):
        for said in (one.get(key) for key in _SYSTEM_KEYS):
            if isinstance(said, dict):
                said = _system_in(said)
            if isinstance(said, int | str) and str(said).strip():
                return "" if str(said).endswith("WebMercatorQuad") else str(said)
    return ""


def _system_in(said: Mapping[str, Any]) -> Any:
    """The name or number within an object: ArcGIS's, a tile matrix set's, GeoJSON's, PROJJSON's, or a text in WKT."""
    inner = [one for one in (said.get("properties"), said.get("id")) if isinstance(one, dict)]
    codes = [one.get(key) for one in (said, *inner) for key in ("latestWkid", "wkid", "code", "uri", "name")]
    known = next((code for code in codes if code and not isinstance(code, str)), None)
    return f"EPSG:{known}" if isinstance(known, int) else next((code for code in codes if code), said.get("wkt"))


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _first(root: ElementTree.Element, name: str) -> ElementTree.Element | None:
    return next((element for element in root.iter() if _tag(element) == name), None)


def _text(root: ElementTree.Element, name: str) -> str:
    element = _first(root, name)
    return "" if element is None or element.text is None else element.text.strip()


_READERS: dict[str, Callable[[str, bytes], Iterable[Claim]]] = {
    ".json": _from_json,
    ".xml": _from_xml,
    ".html": _from_html,
}
