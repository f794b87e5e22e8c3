"""Pairs of one's own: a CSV or Parquet manifest with one row a pair.

Columns: `query` and `reference` (paths, relative to the manifest), and optionally the others of
`model.common.manifest_rows`. A row whose `query` is empty adds a distractor to the gallery. Rows that name the same
reference share it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from model.common.errors import BadCoordinates, BadDataset
from model.common.geo import LatLon
from model.common.manifest_rows import COLUMNS, NUMBERS
from model.data.pairs import PairSet, Query, Reference

__all__ = ["read_manifest"]

_SHOWN = 3


def read_manifest(path: Path) -> PairSet:
    """Read a manifest and check that every picture it names is there.

    Raises:
        BadDataset: no such file, an unknown or missing column, a bad value (with its row), or missing pictures.
    """
    rows = _rows(path)
    references: dict[str, int] = {}
    tiles: list[Reference] = []
    queries: list[Query] = []
    positives: list[int] = []
    overlaps: list[tuple[str, list[str]]] = []  # a semi-positive may be named before its own row comes
    for number, row in enumerate(rows, start=2):  # row 1 is the header
        where = f"{path}, row {number}"
        name = _text(row, "reference", where)
        if name not in references:
            references[name] = len(tiles)
            tiles.append(_reference(row, path.parent, where))
        elif (margin := _margin(row, where)) != (known := tiles[references[name]].margin):
            raise BadDataset(f"{where}: {name} has the reference_margin {margin}, {known} before; give one value")
        if row.get("query") not in (None, ""):
            queries.append(_query(row, path.parent, where))
            positives.append(references[name])
            overlaps.append((where, _names(row, "semi_positives", where)))
    _require_files([*(query.path for query in queries), *(tile.path for tile in tiles)], path)
    name = path.parent.name if path.stem == "pairs" else path.stem
    return PairSet(
        name, tuple(queries), tuple(tiles), np.array(positives, np.int64), _semi_positives(overlaps, references)
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    from pyarrow import ArrowException, parquet

    if not path.is_file():
        raise BadDataset(f"there is no manifest {path}; give a CSV or Parquet file with the columns query, reference")
    try:
        table = parquet.read_table(path) if path.suffix == ".parquet" else _read_csv(path)
    except ArrowException as error:
        raise BadDataset(f"{path} cannot be read as a table: {error}") from error
    unknown = sorted(set(table.column_names) - set(COLUMNS))
    missing = sorted({"query", "reference"} - set(table.column_names))
    if unknown or missing:
        raise BadDataset(f"{path} has unknown columns {unknown} and lacks {missing}; known are {', '.join(COLUMNS)}")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _read_csv(path: Path) -> Any:
    """A table whose numbers are still text: a column of them would be text throughout as soon as one of them is bad."""
    from pyarrow import array, compute, csv, string

    options = csv.ConvertOptions(column_types=dict.fromkeys(NUMBERS, string()))
    table = csv.read_csv(path, convert_options=options)
    absent = array(options.null_values)
    for place, name in enumerate(table.column_names):
        if name in NUMBERS:
            column = table.column(place)
            table = table.set_column(
                place, name, compute.if_else(compute.is_in(column, value_set=absent), None, column)
            )
    return table


def _reference(row: Mapping[str, Any], folder: Path, where: str) -> Reference:
    location = _location(row, "reference_lat", "reference_lon", where)
    return Reference(folder / _text(row, "reference", where), location, _margin(row, where))


def _margin(row: Mapping[str, Any], where: str) -> float:
    margin = _number(row, "reference_margin", 0.0, where)
    if not 0 <= margin <= 1:
        raise BadDataset(f"{where}: reference_margin is {margin}; give a share of the tile's side in [0, 1]")
    return margin


def _semi_positives(
    overlaps: list[tuple[str, list[str]]], references: Mapping[str, int]
) -> tuple[tuple[int, ...], ...]:
    """Names as rows; nothing at all where no query has any."""
    for where, names in overlaps:
        if unknown := [name for name in names if name not in references]:
            raise BadDataset(f"{where}: semi_positives names {unknown[0]}, which no row has as its reference; add one")
    if not any(names for _, names in overlaps):
        return ()
    return tuple(tuple(references[name] for name in names) for _, names in overlaps)


def _query(row: Mapping[str, Any], folder: Path, where: str) -> Query:
    heading_deg = _number(row, "heading_deg", 0.0, where)
    fov_deg = _number(row, "fov_deg", 360.0, where)
    if not 0 < fov_deg <= 360:
        raise BadDataset(f"{where}: fov_deg is {fov_deg}; give degrees in (0, 360]")
    vertical_deg = _number(row, "vertical_deg", math.nan, where)
    if not math.isnan(vertical_deg) and not 0 < vertical_deg <= 180:
        raise BadDataset(f"{where}: vertical_deg is {vertical_deg}; give degrees in (0, 180], or leave it empty")
    return Query(
        folder / _text(row, "query", where),
        heading_deg % 360.0,
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
    try:
        return math.nan if "_" in str(value) else float(value)  # to Python, 47_1 is 471
    except ValueError:
        return math.nan


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
