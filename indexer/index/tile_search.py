"""The best tiles where each has several vectors: reduced to tiles before the best are taken.

A scan gives the best vectors, and those of one tile are often alike, so how many of them hold enough tiles is not known
before. It starts with a few, sees whether what it has not seen could still change the answer, and asks for more where
it could. The answer is that of scoring every vector.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.index.exact_search import ROUNDING, ExactScan, Found, rank
from indexer.index.ivf import propose_rows
from indexer.index.manifest import SearchRecipe

__all__ = ["best_tiles", "propose_tiles", "vectors_of_tiles"]

_FIRST, _WHOLE = 4, 2
"""Vectors asked for at first: some for each tile that is wanted, and all of a few tiles, as those of the best one tend
to come first, all together. Where they do not decide, all that could are asked for: a third scan would not pay."""
_MORE = 4
"""Factor by which lists are asked for more, which costs no new scan of everything."""

_Half = NDArray[np.float16]
_Floats = NDArray[np.float32]
_Rows = NDArray[np.int64]


def best_tiles(
    scan: ExactScan, queries: _Floats, runs: NDArray[np.int64], *, per_tile: int, top_k: int
) -> list[tuple[_Floats, _Rows]]:
    """For each query scores and numbers of the vectors that decide on its best tiles, best first.

    Among them is the best vector of each of the `top_k` best tiles, or of all where there are fewer.

    Args:
        scan: over the vectors, `per_tile` in a row of each tile.
        queries: float32 [Q, D] unit vectors.
        runs: int64 [R, 2] first vector and vector behind the last, ascending and apart.
        per_tile: number of vectors of a tile.
        top_k: how many tiles.
    """
    if per_tile == 1:
        return scan.search(queries, runs, top_k=top_k)
    most = top_k * per_tile
    wanted = min(most, _FIRST * top_k + _WHOLE * per_tile)
    answers: dict[int, tuple[_Floats, _Rows]] = {}
    waiting = np.arange(len(queries))
    while len(waiting):
        pieces = scan.candidates(queries[waiting], runs, top_k=wanted)
        for place, number in enumerate(waiting.tolist()):
            rows = _deciding([piece[place] for piece in pieces], wanted, per_tile, top_k, whole=wanted >= most)
            if rows is not None:
                answers[number] = rank(scan.vectors, queries[number], rows, len(rows))
        waiting = np.array([number for number in waiting.tolist() if number not in answers], np.int64)
        wanted = most
    return [answers[number] for number in range(len(queries))]


def _deciding(pieces: list[Found], wanted: int, per_tile: int, top_k: int, *, whole: bool) -> _Rows | None:
    """The vectors that may be the best ones of the best tiles, or None where vectors not seen yet might be.

    Args:
        pieces: (scores, vectors) of each part of the scan: its `wanted` best, and all that tie with the last of them.
        wanted: how many.
        per_tile: number of vectors of a tile.
        top_k: how many tiles.
        whole: take what there is: so many vectors cannot hold fewer tiles.
    """
    if not pieces:
        return np.empty(0, np.int64)
    scores, rows = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    unseen = max(_least(one, wanted) for one, _ in pieces)
    tiles, where = np.unique(rows // per_tile, return_inverse=True)
    best = np.full(len(tiles), -np.inf, np.float32)
    np.maximum.at(best, where, scores)
    if len(tiles) < top_k:
        return rows if whole or unseen == -np.inf else None
    last = float(np.partition(best, len(best) - top_k)[len(best) - top_k]) - 2 * ROUNDING
    if last < unseen and not whole:
        return None
    deciding: _Rows = rows[scores >= last]
    return deciding


def _least(scores: _Floats, wanted: int) -> float:
    """No vector that a part of the scan did not give scores more; minus infinity where it gave all."""
    if len(scores) <= wanted:
        return -np.inf
    return float(np.partition(scores, len(scores) - wanted)[len(scores) - wanted])


def propose_tiles(
    index: Any, queries: _Floats, recipe: SearchRecipe, *, per_tile: int, top_k: int, kept: Any = None
) -> list[_Rows]:
    """For each query the tiles worth scoring exactly, ascending.

    Args:
        index: the inverted lists.
        queries: float32 [Q, D].
        recipe: how many lists to visit, and how many vectors to propose for each tile.
        per_tile: number of vectors of a tile.
        top_k: tiles that are wanted.
        kept: a `selector` of vectors, or None for all.

    Raises:
        IndexDamaged: the lists propose vectors that there are not.
    """
    wanted, most = top_k, top_k * per_tile
    while True:
        rows = propose_rows(index, queries, recipe, top_k=wanted, kept=kept)
        tiles = [np.unique(found // per_tile) for found in rows]
        if wanted >= most or min(len(found) for found in tiles) >= top_k:
            return tiles
        wanted = min(most, _MORE * wanted)


def vectors_of_tiles(tiles: _Rows, per_tile: int) -> _Rows:
    """Numbers of all vectors of some tiles."""
    numbers: _Rows = (tiles[:, None] * per_tile + np.arange(per_tile)).ravel()
    return numbers
