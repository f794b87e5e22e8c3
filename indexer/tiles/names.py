"""Columns of text in a few bytes a tile: Arrow strings, and the names of grid tiles, which follow from their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["GridNames", "TextColumn", "Texts", "grid_tile_id", "joined_texts", "rows_of_text", "texts"]


_GRID_NAME = re.compile(r"(0|[1-9]\d{0,8})(/(0|[1-9]\d{0,8})){2}", re.ASCII)
"""As `grid_tile_id` writes it."""


class Texts(Protocol):
    """A column of text; an object array is one, too."""

    def __len__(self) -> int:
        """Number of rows."""

    def __getitem__(self, key: Any) -> Any:
        """The text of one row, or a column of some rows: their numbers, or a mask."""

    def tolist(self) -> list[Any]:
        """All of them."""


class TextColumn:
    """Strings as Arrow holds them; a Python string each would take ten times as much.

    Example:
        >>> import pyarrow
        >>> column = TextColumn(pyarrow.chunked_array([["a", "b"], ["c"]]))
        >>> column[2], column[np.array([2, 0])].tolist()
        ('c', ['c', 'a'])
    """

    def __init__(self, column: Any) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, key: Any) -> Any:
        if np.ndim(key) == 0:
            return self._column[int(key)].as_py()
        return TextColumn(self._column.take(_numbers(key)))

    def tolist(self) -> list[str]:
        """All of them."""
        return list(self._column.to_pylist())

    def rows_of(self, text: str) -> NDArray[np.int64]:
        """int64, the rows that say so, ascending."""
        import pyarrow.compute as pc  # takes a tenth of a second

        rows: NDArray[np.int64] = pc.indices_nonzero(pc.equal(self._column, text)).to_numpy().astype(np.int64)
        return rows


class GridNames:
    """Names `z/x/y`, made when they are asked for.

    Example:
        >>> names = GridNames(np.array([15, 15]), np.array([3, 4]), np.array([7, 8]))
        >>> names[1], names[np.array([True, False])].tolist()
        ('15/4/8', ['15/3/7'])
    """

    def __init__(self, z: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> None:
        self._axes = (z, x, y)

    def __len__(self) -> int:
        return len(self._axes[0])

    def __getitem__(self, key: Any) -> Any:
        if np.ndim(key) == 0:
            return grid_tile_id(*(int(axis[key]) for axis in self._axes))
        return GridNames(*(axis[key] for axis in self._axes))

    def tolist(self) -> list[str]:
        """All of them."""
        return [grid_tile_id(*tile) for tile in zip(*(axis.tolist() for axis in self._axes), strict=True)]

    def rows_of(self, text: str) -> NDArray[np.int64]:
        """int64, the rows that say so, ascending."""
        if _GRID_NAME.fullmatch(text) is None:
            return np.empty(0, np.int64)
        numbers = [int(part) for part in text.split("/")]
        found = [axis == number for axis, number in zip(self._axes, numbers, strict=True)]
        rows: NDArray[np.int64] = np.flatnonzero(found[0] & found[1] & found[2])
        return rows


def grid_tile_id(z: int, x: int, y: int) -> str:
    """The name of a tile of the Web Mercator grid."""
    return f"{z}/{x}/{y}"


def texts(values: Sequence[str]) -> NDArray[np.object_]:
    """Strings as an object array."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def rows_of_text(column: Texts, text: str) -> NDArray[np.int64]:
    """int64, the rows of a column that say so, ascending; looked for one after another, in no memory of their own."""
    if isinstance(column, TextColumn | GridNames):
        return column.rows_of(text)
    return np.flatnonzero(np.array([one == text for one in column.tolist()], np.bool_))


def joined_texts(columns: Sequence[Texts]) -> NDArray[np.object_]:
    """The rows of some columns, one after another."""
    return texts([text for column in columns for text in column.tolist()])


def _numbers(key: Any) -> NDArray[np.int64]:
    key = np.asarray(key)
    return np.flatnonzero(key) if key.dtype == np.bool_ else key.astype(np.int64)
