"""Geotagged photos, as a folder of files or as a table in the way that photo services export theirs.

A file speaks for itself (EXIF, GPano); what a row of a table says goes before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.common.errors import BadPhotos
from indexer.localization.photo_list import PhotoRequest, list_photos
from model.common.errors import BadConfig
from model.common.numbers import parse_number
from model.data.text_table import TextTable, read_text_table
from model.inputs.photo_view import GivenView

__all__ = ["NAMES", "PlacedPhoto", "find_photos"]

NAMES: Mapping[str, tuple[str, ...]] = {
    "photo": ("photo", "query", "path", "file", "filename", "file_name", "image", "image_path"),
    "lat": ("lat", "latitude", "MAPLatitude", "y"),
    "lon": ("lon", "lng", "longitude", "MAPLongitude", "x"),
    "heading_deg": ("heading_deg", "computed_compass_angle", "compass_angle", "heading", "bearing"),
    "fov_deg": ("fov_deg",),
    "vertical_deg": ("vertical_deg",),
}
"""What each column may be called, the most trusted name first; any other column is left alone."""

_KNOWN = [name for names in NAMES.values() for name in names]


@dataclass(frozen=True)
class PlacedPhoto:
    """One photo, and what is said of it beside its file.

    Attributes:
        path: the file.
        name: what to call it in tables.
        lat: degrees, not checked; None leaves the position to the photo's EXIF.
        lon: likewise.
        given: its view; what is None is left to the photo.
    """

    path: Path
    name: str
    lat: float | None = None
    lon: float | None = None
    given: GivenView = field(default_factory=GivenView)


def find_photos(source: Path, given: GivenView) -> list[PlacedPhoto]:
    """The photos below a folder, or of a CSV table, whose paths are relative to it.

    Args:
        source: a folder; or a table whose header names a photo, and where it was taken.
        given: holds for every photo of which neither the table says it.

    Raises:
        BadPhotos: nothing is there, no photo is named, or a row cannot be used.
    """
    if source.suffix.lower() in (".csv", ".tsv", ".txt") and source.is_file():
        return _of_table(source, given)
    found = list_photos([source], PhotoRequest(Path()))
    return [PlacedPhoto(request.path, request.under.as_posix(), given=given) for request in found]


def _of_table(path: Path, given: GivenView) -> list[PlacedPhoto]:
    try:
        table = read_text_table(path, _KNOWN, first_row=2)
    except ValueError as error:
        raise BadPhotos(f"{path} {error}") from None
    columns = {what: [name for name in names if name in table.columns] for what, names in NAMES.items()}
    missing = [what for what in ("photo", "lat", "lon") if not columns[what]]
    if missing:
        wanted = "; ".join(f"{what} (or {', '.join(NAMES[what][1:4])})" for what in missing)
        raise BadPhotos(f"{path} lacks the columns {wanted}; its header is {', '.join(table.columns)}")
    if not len(table):
        raise BadPhotos(f"{path} names no photo; give one a row")
    rows: Sequence[int] = range(len(table))
    if "query" in table.columns:  # a manifest of pairs, where a row may be a tile alone
        rows = [row for row in rows if table.columns["query"][row].strip()]
    return [_of_row(path, table, columns, row, given) for row in rows]


def _of_row(
    path: Path, table: TextTable, columns: Mapping[str, Sequence[str]], row: int, given: GivenView
) -> PlacedPhoto:
    where = f"{path}, row {row + 2}"
    name = next((text for column in columns["photo"] if (text := table.columns[column][row].strip())), "")
    if not name:
        raise BadPhotos(f"{where}: its photo is empty; give a path relative to the table")
    value = {what: _number(table, names, row, where) for what, names in columns.items() if what != "photo"}
    heading, fov, vertical = (value[what] for what in ("heading_deg", "fov_deg", "vertical_deg"))
    try:
        view = GivenView(
            given.heading_deg if heading is None else heading,
            given.fov_deg if fov is None else fov,
            given.vertical_deg if vertical is None else vertical,
            given.centre_deg,
            given.projection,
        )
    except BadConfig as error:
        raise BadPhotos(f"{where}: {error}") from None
    return PlacedPhoto(path.parent / name, name, value["lat"], value["lon"], view)


def _number(table: TextTable, names: Sequence[str], row: int, where: str) -> float | None:
    """The first of some columns that says something; None where none does."""
    for name in names:
        text = table.columns[name][row].strip()
        if text:
            number = parse_number(text, decimal_comma=table.decimal_comma)
            if not math.isfinite(number):
                raise BadPhotos(f"{where}: {name} is {text!r}; give a number, or leave it empty")
            return number
    return None
