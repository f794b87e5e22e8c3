"""Search over headings, for a photo that does not know where it looks.

The panorama is embedded at evenly spaced headings, then again around the best one; each tile keeps the heading at
which it scores best, and that of the best tile is the heading found. Where the encoder computes the evenly spaced
headings all at once, one more follows without a pass: at the column where a parabola through the best score and its
two neighbours peaks, the vector is that of the parabola through their vectors. A canvas turns by whole columns, so a
heading is a number of columns, a *turn*, and what is reported is a multiple of 360 / width degrees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.inputs.specs import COARSE_HEADINGS, SWEPT_HEADINGS
from model.inputs.transforms import roll_to_north

__all__ = [
    "COARSE_HEADINGS",
    "Hit",
    "Ranking",
    "TurnEncoder",
    "coarse_turns",
    "fine_offsets",
    "heading_of",
    "hits_of",
    "peak_offsets",
    "rolled",
    "search_headings",
    "sweep_turns",
    "swept_turns",
    "turns_tried",
]

_AT_ONCE = 32
"""Pictures in a pass, about."""


class TurnEncoder(Protocol):
    """Embeds panoramas, perhaps at all headings at once."""

    @property
    def sweeps(self) -> bool:
        """Whether `encode_headings` may be called."""

    def encode_ground(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] -> float32 [B, D]."""

    def encode_headings(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] -> float32 [B, T, D], nearly what `encode_ground` gives at `swept_turns`."""


class Ranking(Protocol):
    """What a search finds for one query: rows of the index, their scores and best anchors, best first."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """int64 [K]."""

    @property
    def scores(self) -> NDArray[np.float32]:
        """float32 [K]."""

    @property
    def anchors(self) -> NDArray[np.int64]:
        """int64 [K]."""


@dataclass(frozen=True)
class Hit:
    """A tile of the index, how well it matches, and at which heading of the photo's centre column and which anchor.

    `shift` is how far east and south of the anchor the point lies that matches, in shares of the tile's side.
    """

    row: int
    score: float
    heading_deg: float
    anchor: int = 0
    shift: tuple[float, float] = (0.0, 0.0)


Find = Callable[[NDArray[np.float32]], Sequence[Ranking]]
"""Vectors float32 [B, D] -> one ranking each."""
Compare = Callable[[NDArray[np.int64], NDArray[np.float32]], NDArray[np.floating] | None]
"""Turns int64 [B, C] and vectors float32 [B, C, D] -> the best score at each, [B, C]; None ends the search."""


def search_headings(
    canvas: NDArray[np.uint8],
    encoder: TurnEncoder,
    find: Find,
    *,
    heading_deg: float | None = None,
    count: int = COARSE_HEADINGS,
) -> list[Hit]:
    """The tiles that match a canvas, best first, each at its best heading.

    If `find` gives the K best tiles of a vector, the first K hits are exactly the K best over all headings tried.

    Args:
        canvas: [H, W, 3], laid by its heading or, where that is unknown, as if its centre looked north.
        encoder: embeds canvases.
        find: searches a batch of vectors; called once, or twice where the heading is unknown.
        heading_deg: where the photo's centre looks; None tries all headings.
        count: as `sweep_turns` takes it.
    """
    if heading_deg is not None:
        return hits_of(find(encoder.encode_ground(canvas[np.newaxis]))[0], heading_deg)
    columns = canvas.shape[1]
    hits: list[Hit] = []

    def compare(turns: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.floating] | None:
        rankings = find(vectors[0])
        headings_deg = [heading_of(turn, columns) for turn in turns[0].tolist()]
        hits[:] = _keep_best([*hits, *_best_per_tile(rankings, headings_deg)])
        best = [float(one.scores[0]) if len(one.scores) else -np.inf for one in rankings]
        return np.array([best]) if hits else None

    sweep_turns(canvas[np.newaxis], encoder, compare, count=count)
    return hits


def sweep_turns(canvases: NDArray[np.uint8], encoder: TurnEncoder, compare: Compare, *, count: int) -> None:
    """Embed canvases at the headings to be tried: evenly spaced ones, then a few that the first ones speak for.

    This is the only place that says which those are: the localizer and the evaluator both search by it.

    Args:
        canvases: uint8 [B, H, W, 3].
        encoder: embeds them.
        compare: searches with every canvas at its turns; called once or twice.
        count: number of headings of the first pass; `COARSE_HEADINGS` leaves it to an encoder that computes all at
            once, another number has each computed on its own.
    """
    columns = canvases.shape[2]
    swept = encoder.sweeps and count == COARSE_HEADINGS
    first = np.tile(
        np.array(swept_turns(columns) if swept else coarse_turns(count, columns), np.int64), (len(canvases), 1)
    )
    vectors = encoder.encode_headings(canvases) if swept else _embed_turned(canvases, encoder, first)
    scores = compare(first, vectors)
    if scores is None:
        return
    best = np.take_along_axis(first, scores.argmax(axis=1)[:, np.newaxis], axis=1)
    offsets = peak_offsets(scores, columns) if swept else np.array(fine_offsets(count, columns), np.int64)
    again = (best + offsets) % columns
    if swept:
        compare(again, _at_peaks(vectors, scores, offsets, columns))
    elif again.shape[1]:
        compare(again, _embed_turned(canvases, encoder, again))


def turns_tried(columns: int, *, count: int, sweeps: bool) -> list[int]:
    """How many headings each of the two searches tries."""
    if sweeps and count == COARSE_HEADINGS:
        return [len(swept_turns(columns)), 1]
    return [len(coarse_turns(count, columns)), len(fine_offsets(count, columns))]


def swept_turns(columns: int) -> list[int]:
    """Turns of an encoder that computes all at once: a power of two apart, at least `SWEPT_HEADINGS` of them."""
    step = 1 << max(0, (columns // SWEPT_HEADINGS).bit_length() - 1)
    return list(range(0, columns, step))


def peak_offsets(scores: NDArray[np.floating], columns: int) -> NDArray[np.int64]:
    """How far from the best of all headings at once the peak of the scores lies, by a parabola through its neighbours.

    Args:
        scores: the best score at each of `swept_turns`, [B, T].
        columns: of the canvas.

    Returns:
        Whole columns, int64 [B, 1], at most halfway to the next heading; 0 where there is no peak to fit.
    """
    count = scores.shape[1]
    best = scores.argmax(axis=1)[:, np.newaxis]
    before, peak, after = (np.take_along_axis(scores, (best + step) % count, axis=1) for step in (-1, 0, 1))
    # A heading at which nothing was found scores minus infinity.
    fits = np.isfinite(before) & np.isfinite(after) & (before + after < 2 * peak)
    before, peak, after = (np.where(fits, one, 0.0) for one in (before, peak, after))
    shares = np.divide(before - after, 2 * (before - 2 * peak + after), out=np.zeros(fits.shape), where=fits)
    offsets: NDArray[np.int64] = np.rint(shares * (columns // count)).astype(np.int64)
    return offsets


def _at_peaks(
    vectors: NDArray[np.float32], scores: NDArray[np.floating], offsets: NDArray[np.int64], columns: int
) -> NDArray[np.float32]:
    """The unit vectors float32 [B, 1, D] at so many columns, int64 [B, 1], from the best of all headings at once.

    Each number of a vector is read from a parabola through its values at the best heading and its two neighbours.
    """
    count = vectors.shape[1]
    best = scores.argmax(axis=1)[:, np.newaxis]
    before, peak, after = (
        np.take_along_axis(vectors, ((best + step) % count)[:, :, np.newaxis], axis=1) for step in (-1, 0, 1)
    )
    share = (offsets / (columns // count)).astype(np.float32)[:, :, np.newaxis]
    read = peak + share * (after - before) / 2 + share**2 * (before - 2 * peak + after) / 2
    unit: NDArray[np.float32] = read / np.linalg.norm(read, axis=2, keepdims=True)
    return unit


def _embed_turned(canvases: NDArray[np.uint8], encoder: TurnEncoder, turns: NDArray[np.int64]) -> NDArray[np.float32]:
    """Every canvas at its turns int64 [B, C]: float32 [B, C, D]; few pictures at once, however many there are."""
    count, together = turns.shape[1], max(1, _AT_ONCE // len(canvases))
    parts = []
    for begin in range(0, count, together):
        some = turns[:, begin : begin + together]
        copies = np.concatenate([rolled(canvas, at) for canvas, at in zip(canvases, some.tolist(), strict=True)])
        parts.append(encoder.encode_ground(copies).reshape(*some.shape, -1))
    return np.concatenate(parts, axis=1)


def coarse_turns(count: int, columns: int) -> list[int]:
    """Turns evenly spaced from north: `count`, or one for each column where there are fewer columns."""
    return sorted({round(columns * i / count) % columns for i in range(count)})


def fine_offsets(count: int, columns: int) -> list[int]:
    """Up to six turns between one of `count` headings and its two neighbours, relative to it."""
    quarters = (round(columns * quarter / (4 * count)) for quarter in (-3, -2, -1, 1, 2, 3))
    return sorted({offset for offset in quarters if offset})


def heading_of(turn: int, columns: int) -> float:
    """The heading, in [0, 360), of the centre column that a turn makes look north."""
    return turn % columns * 360.0 / columns


def rolled(canvas: NDArray[np.uint8], turns: Sequence[int]) -> NDArray[np.uint8]:
    """The canvas [H, W, 3] as [B, H, W, 3], north-centred for each supposed turn."""
    return np.stack([roll_to_north(canvas, heading_of(turn, canvas.shape[1])) for turn in turns])


def hits_of(ranking: Ranking, heading_deg: float) -> list[Hit]:
    """The tiles of one ranking, all at one heading."""
    return _best_per_tile([ranking], [heading_deg % 360.0])


def _best_per_tile(rankings: Sequence[Ranking], headings_deg: Sequence[float]) -> list[Hit]:
    """Merge rankings[heading]: every tile once, at the heading where it scores best; best first, ties by row."""
    pairs = zip(rankings, headings_deg, strict=True)
    return _keep_best(
        Hit(int(row), float(score), heading, int(anchor))
        for ranking, heading in pairs
        for row, score, anchor in zip(ranking.rows, ranking.scores, ranking.anchors, strict=True)
    )


def _keep_best(hits: Iterable[Hit]) -> list[Hit]:
    best: dict[int, Hit] = {}
    for hit in hits:
        if hit.row not in best or hit.score > best[hit.row].score:
            best[hit.row] = hit
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.row))
