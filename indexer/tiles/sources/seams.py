"""Whether pictures fit one another where a source's rows put them: neighbours on the ground go on over their seam.

A tree of folders does not say whether its rows count from the north or come before the column. Its pictures do: some
pairs of neighbours are compared along the sides that would touch in each order of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.common.errors import BadSource
from indexer.tiles.sources.schemes import AUTO, ROW_SCHEMES, in_words
from indexer.tiles.tile_table import TileRecord, TileTable
from model.common.images import decode_image

__all__ = ["doubt_of_rows"]

_TILES = 24
"""So many tiles, spread over all, are compared with their neighbours."""
_SAMPLES = 64
"""Points of a side that are compared, so that tiles of all sizes take the same time."""
_TELLING = 8.0
"""Grey levels by which two sides must differ, in one of the orders, for a pair to count; water and snow do not."""
_BETTER = 0.5
_LEAST_PAIRS, _LARGEST_SHARE_AGAINST = 4, 0.1
_RIGHT, _BOTTOM, _LEFT, _TOP = range(4)
_STEPS = {"xyz": ((1, 0), (0, 1)), "tms": ((1, 0), (0, -1)), "zyx": ((0, 1), (1, 0))}
"""Where a step of the first and of the second stored number leads: eastwards and southwards."""
_SIDES = {(1, 0): _RIGHT, (0, 1): _BOTTOM, (-1, 0): _LEFT, (0, -1): _TOP}

_Edges = NDArray[np.float64]
_Read = Callable[[TileRecord], bytes | Image.Image]


def doubt_of_rows(tiles: TileTable, scheme: str, asked: str, read: _Read, where: Path) -> list[str]:
    """A remark where the pictures of a source fit one another in another order of its rows.

    Args:
        tiles: placed by `scheme`; those of the deepest zoom are looked at.
        scheme: how the rows are taken.
        asked: the option; any but `auto` makes a warning of what stops the build otherwise.
        read: gives a tile's picture.
        where: the source, for messages.

    Raises:
        BadSource: they do; the message names the option that settles it.
    """
    if scheme not in ROW_SCHEMES:
        return []
    deepest = tiles.take(tiles.z == tiles.z.max())
    differences = [(axis, _differences(one, other)) for axis, one, other in _pairs(deepest, read)]
    for rival in ROW_SCHEMES:
        if (count := _votes(differences, scheme, rival)) is not None:
            fault = (
                f"{count[0]} of {count[1]} pairs of neighbouring pictures fit one another if rows are taken as "
                f"{in_words(rival)}, and not as {in_words(scheme)}"
            )
            if asked != AUTO:
                return [f"warning: {fault}; taken as --scheme {asked} says"]
            raise BadSource(
                f"{where}: {fault}. Give --scheme {rival} if the pictures are right, --scheme {scheme} if the rows are"
            )
    return []


def _pairs(tiles: TileTable, read: _Read) -> list[tuple[int, _Edges, _Edges]]:
    """(0 for east or 1 for south, sides of a tile, sides of its neighbour there), of tiles that can be read."""
    chosen = np.unique(np.linspace(0, len(tiles) - 1, _TILES).astype(np.int64))
    keys = (tiles.x << np.int64(32)) | tiles.y
    own = keys[chosen]
    rows = _rows_of(keys, np.concatenate([own + (np.int64(1) << np.int64(32)), own + 1]))
    edges: dict[int, _Edges | None] = {}
    found = []
    for number, key in zip(chosen.tolist(), own.tolist(), strict=True):
        for axis, neighbour in enumerate((key + (1 << 32), key + 1)):
            if neighbour in rows:
                for row in (number, rows[neighbour]):
                    if row not in edges:
                        edges[row] = _edges_of(tiles.record(row), read)
                one, other = edges[number], edges[rows[neighbour]]
                if one is not None and other is not None and not np.array_equal(one, other):
                    found.append((axis, one, other))
    return found


def _rows_of(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> dict[int, int]:
    """Where each of a few keys stands among many, without sorting the many."""
    ordered = np.unique(wanted)
    place = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    hits = np.flatnonzero(ordered[place] == keys)
    return dict(zip(keys[hits].tolist(), hits.tolist(), strict=True))


def _edges_of(tile: TileRecord, read: _Read) -> _Edges | None:
    """[4, points, 3] grey levels along the right, bottom, left and top side; None where the tile cannot be read."""
    try:
        picture = read(tile)
        picture = picture if isinstance(picture, Image.Image) else decode_image(picture)
    except Exception:  # a decoder may raise anything; the tile fails, with its reason, when it is its turn
        return None
    pixels: NDArray[Any] = np.asarray(picture.convert("RGB"), np.float64)
    sides = pixels[:, -1], pixels[-1], pixels[:, 0], pixels[0]
    return np.stack([side[np.linspace(0, len(side) - 1, _SAMPLES).round().astype(int)] for side in sides])


def _differences(one: _Edges, other: _Edges) -> list[float]:
    """How far each side of a tile differs from the opposite side of another."""
    opposite = other[[_LEFT, _TOP, _RIGHT, _BOTTOM]]
    means: list[float] = np.abs(one - opposite).mean(axis=(1, 2)).tolist()
    return means


def _votes(differences: list[tuple[int, list[float]]], scheme: str, rival: str) -> tuple[int, int] | None:
    """(pairs that fit, pairs that tell) where another order of rows fits nearly all pairs that tell the two apart."""
    needed = {axis for axis in (0, 1) if _side(axis, scheme, scheme) != _side(axis, scheme, rival)}
    in_favour = dict.fromkeys(needed, 0)
    against = 0
    for axis, apart in differences:
        if axis not in needed:
            continue
        as_taken, otherwise = apart[_side(axis, scheme, scheme)], apart[_side(axis, scheme, rival)]
        if as_taken > _TELLING and otherwise < _BETTER * as_taken and otherwise == min(apart):
            in_favour[axis] += 1
        elif otherwise > _TELLING and as_taken < _BETTER * otherwise:
            against += 1
    count = sum(in_favour.values())
    if not needed or min(in_favour.values()) < _LEAST_PAIRS / len(needed):
        return None
    return (count, count + against) if against <= _LARGEST_SHARE_AGAINST * count else None


def _side(axis: int, scheme: str, rival: str) -> int:
    """The side at which a tile's neighbour to the east (axis 0) or south (1) by one order lies by another."""
    east, south = ((1, 0), (0, 1))[axis]
    # Steps are at right angles, so how many of each make a way is told by their products with it.
    first, second = (step[0] * east + step[1] * south for step in _STEPS[scheme])
    one, other = _STEPS[rival]
    return _SIDES[(first * one[0] + second * other[0], first * one[1] + second * other[1])]
