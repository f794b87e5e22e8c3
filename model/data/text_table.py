"""Tables as text: a CSV as people and spreadsheets write it, every value kept as it stands there.

A name is text whatever it looks like, so nothing is guessed: callers turn into numbers the columns that hold some.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.common.plain_files import require_plain

__all__ = ["TextTable", "read_text_table"]

_HEAD_BYTES = 65_536
_DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


_PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""What .xlsx and .ods begin with, and .xls."""


@dataclass(frozen=True)
class TextTable:
    """Columns by name, all of one length.

    Attributes:
        columns: the values of each column, as text.
        decimal_comma: whether a comma can be a decimal point, because it does not separate values.
    """

    columns: dict[str, list[str]]
    decimal_comma: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def read_text_table(path: Path, known: Collection[str], *, first_row: int) -> TextTable:
    """Read a CSV: UTF-8, or UTF-16 with its mark; commas, semicolons, tabs or bars; lines that begin with # left out.

    Args:
        path: the file.
        known: names of columns, by which the separator is told.
        first_row: what errors call the first row below the header.

    Raises:
        ValueError: it is no such table; the message names the row and fits behind the path.
        OSError: the file cannot be read.
    """
    lines = list(
        io.StringIO(_decoded(_read_text_bytes(path), first_row), newline="")
    )  # no line ends at U+2028 or U+0085
    start, delimiter = _header(lines, known)
    reader = csv.reader(lines[start:], delimiter=delimiter, strict=True)
    columns: list[list[str]] = []
    count = 0
    try:
        names = _names(next(reader))
        columns = [[] for _ in names]
        for row in reader:
            if not any(row):
                continue
            if len(row) != len(names):
                raise ValueError(
                    f"row {count + first_row} has {len(row)} values and the header {len(names)}; quote values that "
                    f"hold {delimiter!r}"
                )
            for column, value in zip(columns, row, strict=True):
                column.append(value)
            count += 1
    except csv.Error as error:
        raise ValueError(f"row {count + first_row} cannot be taken apart: {error}; is a quote missing?") from None
    return TextTable(dict(zip(names, columns, strict=True)), decimal_comma=delimiter != ",")


def _read_text_bytes(path: Path) -> bytes:
    """The whole file, unless its beginning shows that it is no text."""
    require_plain(path)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if head.startswith(_PACKED):
            raise ValueError("is a spreadsheet or another packed file, no text; save the sheet as CSV")
        if b"\0" in head and not head.startswith(tuple(mark for mark, _ in _MARKS)):
            raise ValueError("holds zero bytes, so it is no text; if it is UTF-16, save it as UTF-8")
        return head + file.read()


def _decoded(data: bytes, first_row: int) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        above = data[: error.start].count(b"\n")
        where = f"row {above - 1 + first_row}" if above else "the header"
        byte = data[error.start : error.start + 1]
        raise ValueError(
            f"{where} is not {encoding.upper()} text: it holds the byte 0x{byte.hex()}, which is "
            f"{byte.decode('latin-1')!r} in Latin-1; save it as UTF-8"
        ) from None
    if "\0" in text:
        raise ValueError("holds zero bytes; save it as UTF-8 text")
    return text


def _header(lines: Sequence[str], known: Collection[str]) -> tuple[int, str]:
    """(the line of the header, what separates its values)."""
    for number, line in enumerate(lines):
        text = line.strip()
        said = line.strip(" \r\n")
        if said.lower().startswith("sep=") and len(said) == 5:
            return number + 1, said[4]
        if text and not text.startswith("#"):
            fits = {mark: sum(name.strip(' "') in known for name in line.strip().split(mark)) for mark in _DELIMITERS}
            return number, max(fits, key=lambda mark: (fits[mark], text.count(mark)))  # or what there is most of
    raise ValueError("is empty; give a header and one row a picture")


def _names(header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"has the column {twice[0]!r} {names.count(twice[0])} times; keep one of them")
    return names
