"""Whether the zooms of one source lie above one another: of two that do not, one counts its rows otherwise."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.tiles.sources.schemes import ROW_SCHEMES, in_words, to_xyz

__all__ = ["turned_zooms"]

_NONE, _NEARLY_ALL = 0.01, 0.9

_Ints = NDArray[np.int64]


def turned_zooms(stored: _Ints, scheme: str, zooms: Sequence[int]) -> list[str]:
    """Sentences on pairs of zooms that lie apart, and above one another if the upper is taken in another order.

    Both may cover more than the other, so it counts which share of either lies within the other.

    Args:
        stored: int64 [N, 3] (z, first, second) as the source holds them, all on the grid.
        scheme: how rows are taken.
        zooms: those to be indexed, ascending.
    """
    if scheme not in ROW_SCHEMES:
        return []
    levels = [rows for zoom in zooms if len(rows := stored[stored[:, 0] == zoom])]
    found = []
    for upper, lower in itertools.pairwise(levels):
        if _shared(upper, scheme, lower, scheme) > _NONE:
            continue
        for rival in ROW_SCHEMES:
            if _shared(upper, rival, lower, scheme) >= _NEARLY_ALL:
                found.append(
                    f"no tile of zoom {upper[0, 0]} lies over those of zoom {lower[0, 0]}, taken as "
                    f"{in_words(scheme)}; if its rows are taken as {in_words(rival)}, they do"
                )
                break
    return found


def _shared(upper: _Ints, upper_scheme: str, lower: _Ints, lower_scheme: str) -> float:
    """Share of the upper zoom's tiles that hold tiles of the lower, or of those that lie in one, whichever is more."""
    tiles, below = to_xyz(upper, upper_scheme), to_xyz(lower, lower_scheme)
    parents = below[:, 1:] >> (below[0, 0] - tiles[0, 0])
    own, theirs = _keys(tiles[:, 1:]), _keys(parents)
    return float(max(np.isin(own, theirs).mean(), np.isin(theirs, own).mean()))


def _keys(cells: _Ints) -> _Ints:
    keys: _Ints = (cells[:, 0] << np.int64(32)) | cells[:, 1]
    return keys
