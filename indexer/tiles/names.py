"""Columns of text in a few bytes a tile: Arrow strings, and the names of grid tiles, which follow from their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["GridNames", "TextColumn", "Texts", "grid_tile_id", "joined_texts", "texts"]


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


def grid_tile_id(z: int, x: int, y: int) -> str:
    """The name of a tile of the Web Mercator grid."""
    return f"{z}/{x}/{y}"


def texts(values: Sequence[str]) -> NDArray[np.object_]:
    """Strings as an object array."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def joined_texts(columns: Sequence[Texts]) -> NDArray[np.object_]:
    """The rows of some columns, one after another."""
    return texts([text for column in columns for text in column.tolist()])


def _numbers(key: Any) -> NDArray[np.int64]:
    key = np.asarray(key)
    return np.flatnonzero(key) if key.dtype == np.bool_ else key.astype(np.int64)
