"""What neighbouring tools write and is not read here: named, with what to make of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

__all__ = ["FOREIGN_SUFFIXES", "foreign_file", "foreign_names", "foreign_tables"]

_RASTER = "imagery of a kind that is not read here; make a GeoTIFF of it (gdal_translate -of COG)"
_SHAPES = "shapes without pictures; make a list of it, as GeoParquet or CSV, with a column `path` (ogr2ogr)"
_PACKED = "packed; unpack it first"
_TABLE = "a table of another kind; save it as CSV"
_ARCGIS = "a compact cache of ArcGIS; export its tiles as MBTiles, or as pictures with a list of their places"
_PICTURE = "a single picture; give the folder of z/x/y tiles, or a CSV list that says where pictures lie"
_SUFFIXES: dict[str, str] = {
    **dict.fromkeys((".jp2", ".j2k", ".ecw", ".sid", ".img", ".asc", ".bil", ".nc", ".hdf", ".h5", ".dem"), _RASTER),
    **dict.fromkeys((".shp", ".kml", ".kmz", ".gml", ".fgb", ".gpx"), _SHAPES),
    **dict.fromkeys((".zip", ".gz", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".7z", ".rar"), _PACKED),
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".txt", ".jsonl", ".ndjson", ".feather", ".arrow"), _TABLE),
    **dict.fromkeys((".bundle", ".bundlx", ".tpk", ".tpkx"), _ARCGIS),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"), _PICTURE),
}
FOREIGN_SUFFIXES = frozenset(_SUFFIXES) - {".png", ".jpg", ".jpeg", ".webp", ".txt"}
"""Of files that a folder may hold in place of tiles."""
_NEARLY_ALL = 0.9
_LAYOUTS = (
    (
        re.compile(r"(?:.*/)?L\d{2}/R[0-9a-f]{8}/C[0-9a-f]{8}\.\w+", re.IGNORECASE),
        "ArcGIS's exploded cache: rows and columns are hexadecimal there, and the grid stands in its conf.xml",
    ),
    (
        re.compile(r"(?:.*/)?z\d{1,2}/\d+/x\d+/\d+/y\d+\.\w+"),
        "SAS.Planet's cache: zooms are counted from 1 there, so z17 is zoom 16",
    ),
    (
        re.compile(r"(?:.*/)?\d{1,2}/\d{3}/\d{3}/\d{3}/\d{3}/\d{3}/\d{3}\.\w+"),
        "TileCache: a number lies in three folders of three digits there",
    ),
)


def foreign_file(suffix: str) -> str:
    """What a file with a suffix is and what to make of it, empty where that is not known."""
    return _SUFFIXES.get(suffix.lower(), "")


def foreign_names(names: Sequence[str]) -> str:
    """Whose layout nearly all names of pictures have, where it is one that a pattern would misread; else empty."""
    for expression, whose in _LAYOUTS:
        if sum(expression.fullmatch(name) is not None for name in names) >= max(1, _NEARLY_ALL * len(names)):
            return whose
    return ""


def foreign_tables(tables: Collection[str], columns: Collection[str]) -> str:
    """What an SQLite file is where it is no MBTiles, by the names of its tables and of the columns of `tiles`."""
    if "gpkg_contents" in tables:
        return (
            "is a GeoPackage, whose rows count from the north of a grid of its own; make a GeoTIFF of its imagery "
            "(gdal_translate -of COG), or MBTiles (-of MBTILES); shapes become a list as GeoParquet or CSV"
        )
    if {"x", "y", "z", "image"} <= set(columns):
        return (
            "is a map of RMaps, Locus or OsmAnd, whose zooms count from 17 down or from 0 up; convert it to MBTiles "
            "with the program that made it"
        )
    return ""
