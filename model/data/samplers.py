"""Which pairs stand together in a batch: groups of neighbours, or none, cut into batches without false negatives.

A batch is made of groups: the next pair in a random order, and its nearest pairs not yet shown in this epoch. Without
a table of neighbours a group is one pair. No batch holds two queries of one tile, or a tile that covers another's query
too: they would be negatives of each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from model.common.errors import BadConfig, BadDataset
from model.common.specs import spec
from model.data.pairs import PairSet

__all__ = ["Order", "SamplerSpec", "epoch_batches", "most_in_a_batch"]

_Table = NDArray[np.int32]
_EMPTY_EPOCHS = 10
"""So many in a row that fill no batch end a run; a single one is an order of the pairs that went badly."""


@spec(prefix="data.sampler.")
class SamplerSpec:
    """Where hard negatives come from.

    Attributes:
        kind: random (none are sought), geographic (pairs close by on the ground) or similarity (pairs whose tiles look
            to the present network like the anchor's), or both: geographic before `first_epoch`, similarity from there.
        neighbours: pairs that join an anchor in its group.
        drawn: how many of the neighbours are drawn at random from the candidates behind the nearest ones. With any, the
            neighbours are chosen before it is seen which of them the epoch has shown already; without, those that have
            been shown are replaced by the next candidates.
        candidates: nearest pairs kept for each pair; more than `neighbours`, since many have been shown already.
        first_epoch: epochs before it are in random order, or geographic; a network that knows nothing finds nothing
            hard.
        every_epochs: epochs between two searches for similar tiles.
    """

    kind: Literal["random", "geographic", "similarity", "both"] = "random"
    neighbours: Annotated[int, Ge(1)] = 7
    drawn: Annotated[int, Ge(0)] = 0
    candidates: int = 64
    first_epoch: Annotated[int, Ge(0)] = 1
    every_epochs: Annotated[int, Ge(1)] = 4

    def check_together(self) -> None:
        """Neighbours come out of the candidates."""
        if self.candidates < self.neighbours:
            raise BadConfig(f"data.sampler.candidates is {self.candidates}; give at least {self.neighbours}")
        if self.drawn > self.neighbours:
            raise BadConfig(f"data.sampler.drawn is {self.drawn}; give at most the {self.neighbours} neighbours")


@dataclass(frozen=True)
class Order:
    """Epochs that follow one table of neighbours.

    Attributes:
        epoch: the first of them.
        step: its first step.
        epochs: how many; None for all that come.
        table: int32 [Q, K], the pairs nearest to each pair, nearest first; None for a random order.
    """

    epoch: int = 0
    step: int = 0
    epochs: int | None = None
    table: _Table | None = None


def epoch_batches(
    pairs: PairSet,
    order: Order,
    *,
    batch: int,
    last: int,
    seed: int,
    first: int = 0,
    neighbours: int = 0,
    drawn: int = 0,
) -> Iterator[list[int]]:
    """The draws of an order's steps from `first` on; an epoch's incomplete last batch is dropped.

    What is drawn depends on the seed, the epoch and the order alone.

    Args:
        pairs: the data set.
        order: which epochs, and the table they follow.
        batch: pairs in a step.
        last: the step that is not taken any more, counted from 0 over the whole run.
        seed: of the run.
        first: step to start at, counted from 0 over the whole run.
        neighbours: pairs of the table that join an anchor.
        drawn: how many of them are drawn from behind the nearest ones.

    Raises:
        BadDataset: epoch after epoch not one batch can be filled.
    """
    done, epoch, empty = order.step, order.epoch, 0
    while done < last and epoch - order.epoch != order.epochs:
        groups = _Groups(order.table, neighbours, drawn, np.random.default_rng((seed, epoch)))
        batches = list(_epoch(pairs, batch, groups))
        empty = 0 if batches else empty + 1
        if empty == min(_EMPTY_EPOCHS, order.epochs or _EMPTY_EPOCHS):
            raise BadDataset(
                f"{pairs.name} gives no batch of {batch} pairs whose tiles differ and cover no other query; "
                "lower optim.batch, or add pairs"
            )
        for chosen in batches[: last - done]:
            if done >= first:
                yield [epoch * len(pairs.queries) + index for index in chosen]
            done += 1
        epoch += 1


def most_in_a_batch(pairs: PairSet) -> int:
    """About how many pairs fit into one batch, each tile once and none that covers another's query."""
    chosen = _Batch(pairs, len(pairs.queries))
    for row in np.random.default_rng(0).permutation(len(pairs.queries)).tolist():
        chosen.add(row)
    return len(chosen.rows)


@dataclass(frozen=True)
class _Groups:
    """Who joins an anchor, and all that is drawn in an epoch."""

    table: _Table | None
    neighbours: int
    drawn: int
    random: np.random.Generator

    def around(self, anchor: int) -> list[int]:
        """The pairs that may join an anchor, in the order in which they are asked."""
        if self.table is None:
            return []
        row = self.table[anchor]
        if not self.drawn:
            return [int(one) for one in row]
        nearest = self.neighbours - self.drawn
        beyond = self.random.permutation(row[nearest:])[: self.drawn]
        return [int(one) for one in (*row[:nearest], *beyond)]


def _epoch(pairs: PairSet, batch: int, groups: _Groups) -> Iterator[list[int]]:
    """One epoch's batches; a pair that may not stand in a batch waits for the next one."""
    waiting = deque(groups.random.permutation(len(pairs.queries)).tolist())
    shown: set[int] = set()
    while True:
        chosen, later = _Batch(pairs, batch), []
        while waiting and not chosen.is_full:
            anchor = waiting.popleft()
            if anchor in shown:
                continue
            if not chosen.add(anchor):
                later.append(anchor)
                continue
            shown.add(anchor)
            shown |= chosen.add_some((row for row in groups.around(anchor) if row not in shown), groups.neighbours)
        if not chosen.is_full:
            return
        yield chosen.rows
        waiting.extendleft(reversed(later))


class _Batch:
    """A batch that is being filled, and the tiles that no further pair may have."""

    def __init__(self, pairs: PairSet, size: int) -> None:
        self.pairs, self.size = pairs, size
        self.rows: list[int] = []
        self.tiles: set[int] = set()
        self.spared: set[int] = set()

    @property
    def is_full(self) -> bool:
        return len(self.rows) == self.size

    def add(self, row: int) -> bool:
        """Add a pair unless it and a pair of the batch would be false negatives of each other."""
        tile = int(self.pairs.positives[row])
        overlapping = self.pairs.semi_positives[row] if self.pairs.semi_positives else ()
        if tile in self.tiles or tile in self.spared or not self.tiles.isdisjoint(overlapping):
            return False
        self.rows.append(row)
        self.tiles.add(tile)
        self.spared.update(overlapping)
        return True

    def add_some(self, rows: Iterator[int], count: int) -> set[int]:
        """Add up to `count` pairs, as long as there is room; returns those added."""
        added: set[int] = set()
        for row in rows:
            if self.is_full or len(added) == count:
                break
            if self.add(row):
                added.add(row)
        return added
