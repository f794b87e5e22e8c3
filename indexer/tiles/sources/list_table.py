"""The table behind a list of pictures: CSV or Parquet, its names as text and its degrees as numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexer.common.errors import BadSource
from model.common.numbers import parse_number
from model.data.text_table import TextTable, read_text_table

__all__ = ["LIMITS_DEG", "ListTable", "check_range"]

LIMITS_DEG = {"west": 180.0, "south": 90.0, "east": 180.0, "north": 90.0, "lat": 90.0, "lon": 180.0}
_HALF_TURN_DEG = 180.0
_KNOWN = frozenset({"path", "tile_id", *LIMITS_DEG})

_Floats = NDArray[np.float64]


class ListTable:
    """A list, read whole. Rows count from 1, the one below the header.

    Attributes:
        path: the file.
        names: its columns.
        parquet: the table where it is Parquet, with its metadata; None for CSV.

    Raises:
        BadSource: neither CSV nor Parquet, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parquet: pa.Table | None = None
        self._text = TextTable({})
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            self.parquet = _read_parquet(path)
            self.names: Sequence[str] = self.parquet.column_names
        else:
            self._text = self._read_text()
            self.names = list(self._text.columns)
        if len(set(self.names)) < len(self.names):
            raise BadSource(f"{path} has two columns of one name: {', '.join(self.names)}")

    def texts(self, name: str) -> list[str]:
        """A column of names, each as it is written.

        Raises:
            BadSource: a row has none, or the column is of a kind that does not keep how they are written.
        """
        values = self._text.columns[name] if self.parquet is None else _names(self.parquet, name, self.path)
        if not all(values):
            row = next(number for number, value in enumerate(values, start=1) if not value)
            raise BadSource(f"row {row} of {self.path} has no {name}")
        return [str(value) for value in values]

    def degrees(self, name: str) -> _Floats:
        """A column of numbers, each within the range of its kind.

        Raises:
            BadSource: one is no number, or beyond the range; the message names the row.
        """
        values = self._numbers_of_text(name) if self.parquet is None else self._numbers_of_parquet(name)
        check_range(values, name, self.path)
        return values

    def _read_text(self) -> TextTable:
        try:
            return read_text_table(self.path, _KNOWN, first_row=1)
        except ValueError as error:
            raise BadSource(f"{self.path} cannot be read as CSV or Parquet: {error}") from error

    def _numbers_of_text(self, name: str) -> _Floats:
        return self._parsed(self._text.columns[name], name, decimal_comma=self._text.decimal_comma)

    def _numbers_of_parquet(self, name: str) -> _Floats:
        assert self.parquet is not None
        column = self.parquet[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return self._parsed([value or "" for value in column.to_pylist()], name, decimal_comma=False)
        if pa.types.is_boolean(column.type):
            raise BadSource(f"column {name} of {self.path} is made of truth values, not of numbers in degrees")
        if pa.types.is_float16(column.type):
            raise BadSource(f"column {name} of {self.path} has numbers of 16 bits, which are off by km; give float64")
        try:
            values: _Floats = column.cast(pa.float64()).to_numpy()
        except pa.ArrowException as error:
            raise BadSource(f"column {name} of {self.path} is not made of numbers in degrees: {error}") from error
        return values

    def _parsed(self, values: Sequence[str], name: str, *, decimal_comma: bool) -> _Floats:
        numbers = np.array([parse_number(value, decimal_comma=decimal_comma) for value in values], np.float64)
        for row in np.flatnonzero(np.isnan(numbers)).tolist():
            if values[row].strip().lower() not in ("", "nan"):
                raise BadSource(
                    f"column {name} of {self.path} is not made of numbers in degrees: row {row + 1} has "
                    f"{values[row]!r}; write 47.1 for 47 degrees and 6 minutes north"
                )
        return numbers


def check_range(values: _Floats, name: str, path: Path) -> None:
    """Make sure that a column of degrees is in its range.

    Raises:
        BadSource: a value is not; the message names the row.
    """
    wrong = ~(np.abs(values) <= LIMITS_DEG[name])  # true for NaN
    if wrong.any():
        row = int(np.argmax(wrong))
        if np.isnan(values[row]):
            raise BadSource(f"row {row + 1} of {path} has no {name}; give it in degrees, or leave the row out")
        if LIMITS_DEG[name] == _HALF_TURN_DEG and _HALF_TURN_DEG < values[row] <= 2 * _HALF_TURN_DEG:
            raise BadSource(
                f"row {row + 1} of {path} has {name} {values[row]}; longitudes count from -180 to 180 here, so take "
                "360 off those above 180"
            )
        raise BadSource(
            f"row {row + 1} of {path} has {name} {values[row]}, beyond {LIMITS_DEG[name]:g} degrees; "
            "are latitude and longitude swapped, or the coordinates not WGS 84 degrees?"
        )


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet

    try:
        # Not read_table, which makes columns of folders named `key=value` above the file.
        with path.open("rb") as file:
            opened = pyarrow.parquet.ParquetFile(file)
            return _with_systems(opened.read(), opened.schema)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadSource(f"{path} cannot be read as CSV or Parquet: {error}") from error


def _with_systems(table: pa.Table, schema: Any) -> pa.Table:
    """The reference systems that Parquet's own geometry types name, put where GeoArrow has those of its columns."""
    for number in range(len(schema)):
        kind, name = json.loads(schema.column(number).logical_type.to_json()), schema.column(number).path
        at = table.schema.get_field_index(name)
        if str(kind.get("Type")).lower() in ("geometry", "geography") and kind.get("crs") and at >= 0:
            field = table.schema.field(at)
            said = {b"ARROW:extension:metadata": json.dumps({"crs": kind["crs"]}).encode()}
            table = table.set_column(at, field.with_metadata(said | (field.metadata or {})), table.column(at))
    return table


def _names(table: pa.Table, name: str, path: Path) -> list[str | None]:
    column = table[name]
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if not (text or pa.types.is_integer(kind)):
        raise BadSource(f"column {name} of {path} is of type {column.type}; a name is text, so write it as text")
    try:
        values: list[str | None] = column.cast(pa.string()).to_pylist()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadSource(f"column {name} of {path} cannot be read as text: {error}") from error
    return values
