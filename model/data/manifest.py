"""Pairs of one's own: a CSV or Parquet manifest with one row a pair.

Columns: `query` and `reference` (paths, relative to the manifest), and optionally the others of
`model.common.manifest_rows`. A row whose `query` is empty adds a distractor to the gallery. Rows that name the same
reference share it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.common.errors import BadCoordinates, BadDataset
from model.common.geo import LatLon, great_circle_m, normal_heading
from model.common.manifest_rows import COLUMNS, NUMBERS
from model.common.numbers import parse_number
from model.data.pairs import PairSet, Query, Reference
from model.data.text_table import TextTable, read_text_table

__all__ = ["Photos", "read_manifest", "read_photos"]

_SHOWN = 3
_SAME_PLACE_M = 1.0
"""Two places of one picture this near are one, rounded in different ways."""
_FARTHEST_M = 100_000.0
"""No tile that a street-level picture is compared with reaches so far from it."""
_ABSENT = frozenset({"", "NA", "N/A", "n/a", "#N/A", "#NA", "NULL", "null", "NaN", "nan", "-NaN", "-nan"})
"""How tables write that there is no number."""


@dataclass(frozen=True)
class Photos:
    """Photos without what they are paired with.

    Attributes:
        name: of the data set.
        queries: the photos.
        heading_known: for each whether its heading is said; where it is not, it stands as 0.
    """

    name: str
    queries: tuple[Query, ...]
    heading_known: tuple[bool, ...]

    def with_heading(self) -> Photos:
        """Those whose heading is known."""
        queries = tuple(query for query, known in zip(self.queries, self.heading_known, strict=True) if known)
        return Photos(self.name, queries, (True,) * len(queries))


def read_photos(path: Path) -> Photos:
    """Read the photos of a manifest, for which only `query` is needed, and check that they are there.

    Raises:
        BadDataset: no such file or no photo in it, an unknown or missing column, a bad value, or missing pictures.
    """
    rows = _rows(path, needed=("query",))
    queries: list[Query] = []
    known: list[bool] = []
    taken: dict[str, LatLon] = {}
    files = _Files()
    for number, row in enumerate(rows, start=2):  # row 1 is the header
        where = f"{path}, row {number}"
        if row.get("query") not in (None, ""):
            query = _query(row, path.parent, where)
            _refuse_second_place(taken, files.key(query.path), query, where)
            queries.append(query)
            known.append(row.get("heading_deg") not in (None, ""))
    if not queries:
        raise BadDataset(f"{path} names no photo; give one a row in the column query")
    _require_files([query.path for query in queries], path)
    return Photos(_name_of(path), tuple(queries), tuple(known))


def read_manifest(path: Path | str) -> PairSet:
    """Read a manifest and check that every picture it names is there.

    A picture may be named in several rows, in any spelling of its path and through links, but it has one place.

    Raises:
        BadDataset: no such file, an unknown or missing column, a bad value (with its row), or missing pictures.
    """
    path = Path(path)
    rows = _rows(path)
    references: dict[str, int] = {}
    tiles: list[Reference] = []
    queries: list[Query] = []
    positives: list[int] = []
    overlaps: list[tuple[str, list[str]]] = []  # a semi-positive may be named before its own row comes
    taken: dict[str, LatLon] = {}
    files = _Files()
    for number, row in enumerate(rows, start=2):  # row 1 is the header
        where = f"{path}, row {number}"
        tile = _reference(row, path.parent, where)
        name = files.key(tile.path)
        if name not in references:
            references[name] = len(tiles)
            tiles.append(tile)
        else:
            known = references[name]
            tiles[known] = _agreed(tiles[known], tile, _text(row, "reference", where), where)
        if row.get("query") not in (None, ""):
            query = _query(row, path.parent, where)
            _refuse_second_place(taken, files.key(query.path), query, where)
            _refuse_far(query, tile, where)
            queries.append(query)
            positives.append(references[name])
            overlaps.append((where, _names(row, "semi_positives", where)))
    _require_files([*(query.path for query in queries), *(tile.path for tile in tiles)], path)
    further = _semi_positives(overlaps, references, lambda name: files.key(path.parent / name))
    return PairSet(_name_of(path), tuple(queries), tuple(tiles), np.array(positives, np.int64), further)


class _Files:
    """One name for every picture, however its path is spelled and whatever links lead to it."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def key(self, path: Path) -> str:
        """The path of the file itself; of folders each is looked at once, since every part of a path costs a call."""
        name = os.path.normpath(path)
        if name not in self._keys:
            folder, last = os.path.split(name)
            if folder not in self._folders:
                self._folders[folder] = os.path.realpath(folder)
            linked = Path(name).is_symlink()
            self._keys[name] = os.path.realpath(name) if linked else f"{self._folders[folder]}{os.sep}{last}"
        return self._keys[name]


def _name_of(path: Path) -> str:
    return path.parent.name if path.stem == "pairs" else path.stem


def _rows(path: Path, needed: tuple[str, ...] = ("query", "reference")) -> list[dict[str, Any]]:
    if not path.is_file():
        columns = f"column{'s' * (len(needed) > 1)} {', '.join(needed)}"
        raise BadDataset(f"there is no manifest {path}; give a CSV or Parquet file with the {columns}")
    names, rows = _parquet_rows(path) if path.suffix == ".parquet" else _text_rows(path)
    unknown = sorted(set(names) - set(COLUMNS))
    missing = sorted(set(needed) - set(names))
    faults = [f"lacks the columns {', '.join(missing)}"] if missing else []
    faults += [f"has the unknown columns {', '.join(unknown)}"] if unknown else []
    if faults:
        raise BadDataset(f"{path} {' and '.join(faults)}; known are {', '.join(COLUMNS)}")
    return rows


def _parquet_rows(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    from pyarrow import ArrowException, parquet

    try:
        # Not read_table, which makes columns of folders named `key=value` above the file.
        table = parquet.ParquetFile(path).read()
        rows: list[dict[str, Any]] = table.to_pylist()
    except (ArrowException, ValueError) as error:
        raise BadDataset(f"{path} cannot be read as a table: {error}") from error
    return table.column_names, rows


def _text_rows(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Every value as text, None in a column of numbers where there is none."""
    try:
        table = read_text_table(path, COLUMNS, first_row=2)
    except ValueError as error:
        raise BadDataset(f"{path} cannot be read as a table: {error}") from error
    columns: dict[str, list[Any]] = {**table.columns}
    for name in NUMBERS:
        columns[name] = [_number_text(value, table) for value in columns.get(name, [])]
    names = list(table.columns)
    return names, [dict(zip(names, row, strict=True)) for row in zip(*(columns[name] for name in names), strict=True)]


def _number_text(value: str, table: TextTable) -> str | None:
    if value.strip() in _ABSENT:
        return None
    return value.replace(",", ".", 1) if table.decimal_comma and "." not in value else value


def _agreed(known: Reference, again: Reference, name: str, where: str) -> Reference:
    """A tile that a second row names; its place may be missing in either."""
    if again.margin != known.margin:
        raise BadDataset(
            f"{where}: {name} has the reference_margin {again.margin}, {known.margin} before; give one value"
        )
    if known.location is None:
        return again
    if again.location is not None and great_circle_m(known.location, again.location) > _SAME_PLACE_M:
        raise BadDataset(
            f"{where}: {name} lies at {again.location.lat}, {again.location.lon}, but at {known.location.lat}, "
            f"{known.location.lon} before; give a tile one place"
        )
    return known


def _refuse_second_place(taken: dict[str, LatLon], key: str, query: Query, where: str) -> None:
    if query.location is None:
        return
    before = taken.setdefault(key, query.location)
    if great_circle_m(before, query.location) > _SAME_PLACE_M:
        raise BadDataset(
            f"{where}: {query.path.name} was taken at {query.location.lat}, {query.location.lon}, but at {before.lat}, "
            f"{before.lon} before; give a photo one place"
        )


def _refuse_far(query: Query, tile: Reference, where: str) -> None:
    """A pair is of one place; far apart, one of the two has its numbers exchanged or in other units."""
    if query.location is None or tile.location is None:
        return
    apart_m = great_circle_m(query.location, tile.location)
    if apart_m > _FARTHEST_M:
        raise BadDataset(
            f"{where}: {query.path.name} and {tile.path.name} are {apart_m / 1000:,.0f} km apart, so they cannot show "
            "one place; are latitude and longitude exchanged in one of them?"
        )


def _reference(row: Mapping[str, Any], folder: Path, where: str) -> Reference:
    location = _location(row, "reference_lat", "reference_lon", where)
    return Reference(folder / _text(row, "reference", where), location, _margin(row, where))


def _margin(row: Mapping[str, Any], where: str) -> float:
    margin = _number(row, "reference_margin", 0.0, where)
    if not 0 <= margin <= 1:
        raise BadDataset(f"{where}: reference_margin is {margin}; give a share of the tile's side in [0, 1]")
    return margin


def _semi_positives(
    overlaps: list[tuple[str, list[str]]], references: Mapping[str, int], key: Callable[[str], str]
) -> tuple[tuple[int, ...], ...]:
    """Names as rows; nothing at all where no query has any."""
    rows = [[references.get(key(name), -1) for name in names] for _, names in overlaps]
    for (where, names), found in zip(overlaps, rows, strict=True):
        if -1 in found:
            unknown = names[found.index(-1)]
            raise BadDataset(f"{where}: semi_positives names {unknown}, which no row has as its reference; add one")
    return tuple(map(tuple, rows)) if any(rows) else ()


def _heading(row: Mapping[str, Any], where: str) -> float:
    try:
        return normal_heading(_number(row, "heading_deg", 0.0, where))
    except BadCoordinates as error:
        raise BadDataset(f"{where}: {error}") from None


def _query(row: Mapping[str, Any], folder: Path, where: str) -> Query:
    heading_deg = _heading(row, where)
    fov_deg = _number(row, "fov_deg", 360.0, where)
    if not 0 < fov_deg <= 360:
        raise BadDataset(f"{where}: fov_deg is {fov_deg}; give degrees in (0, 360]")
    vertical_deg = _number(row, "vertical_deg", math.nan, where)
    if not math.isnan(vertical_deg) and not 0 < vertical_deg <= 180:
        raise BadDataset(f"{where}: vertical_deg is {vertical_deg}; give degrees in (0, 180], or leave it empty")
    return Query(
        folder / _text(row, "query", where),
        heading_deg,
        fov_deg,
        None if math.isnan(vertical_deg) else vertical_deg,
        _location(row, "lat", "lon", where),
    )


def _text(row: Mapping[str, Any], column: str, where: str) -> str:
    value = row.get(column)
    if not isinstance(value, str) or not value:
        raise BadDataset(f"{where}: {column} is {value!r}; give a path relative to the manifest")
    return value


def _names(row: Mapping[str, Any], column: str, where: str) -> list[str]:
    value = row.get(column)
    if value is not None and not isinstance(value, str):
        raise BadDataset(f"{where}: {column} is {value!r}; give paths relative to the manifest, separated by ;")
    return [name.strip() for name in (value or "").split(";") if name.strip()]


def _number(row: Mapping[str, Any], column: str, default: float, where: str) -> float:
    value = row.get(column)
    if value is None or value == "":
        return default
    number = _parsed(value)
    if not math.isfinite(number):
        raise BadDataset(f"{where}: {column} is {value!r}; give a number")
    return number


def _parsed(value: Any) -> float:
    """A value as a number; not a number where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    return parse_number(value) if isinstance(value, str) else float(value)


def _location(row: Mapping[str, Any], lat: str, lon: str, where: str) -> LatLon | None:
    values = {column: _number(row, column, math.nan, where) for column in (lat, lon)}
    given = [column for column, value in values.items() if not math.isnan(value)]
    if not given:
        return None
    if len(given) == 1:
        other = lat if given == [lon] else lon
        raise BadDataset(f"{where}: there is a {given[0]}, {row[given[0]]}, and no {other}; give both, or neither")
    try:
        return LatLon(*values.values())
    except BadCoordinates as error:
        raise BadDataset(f"{where}: {lat}, {lon}: {error}") from error


def _require_files(paths: list[Path], manifest: Path) -> None:
    missing = [path for path in paths if not path.is_file()]
    if missing:
        shown = ", ".join(str(path) for path in missing[:_SHOWN])
        raise BadDataset(f"{manifest} names {len(missing)} of {len(paths)} pictures that are not there: {shown}, ...")
