"""Which pairs stand together in a batch: the order of an epoch, cut into batches that hold each tile once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Phase", "epoch_batches"]


@dataclass(frozen=True)
class Phase:
    """Steps with batches of one size: `batch` pairs in each step before `last`."""

    batch: int
    last: int


def epoch_batches(
    positives: NDArray[np.int64], phases: Sequence[Phase], *, seed: int, first: int = 0
) -> Iterator[list[int]]:
    """The draws of the steps from `first` on: every epoch a new order, its incomplete last batch dropped.

    A phase begins with a new epoch. No batch holds two queries of one tile: they would be each other's false negatives.
    So there must be as many different tiles as a batch has pairs.
    """
    done = epoch = 0
    for phase in phases:
        while done < phase.last:
            batches = _distinct_batches(positives, phase.batch, np.random.default_rng((seed, epoch)))
            assert batches, f"no batch of {phase.batch} different tiles can be made; this loop would never end"
            for chosen in batches[: phase.last - done]:
                if done >= first:
                    yield [epoch * len(positives) + int(index) for index in chosen]
                done += 1
            epoch += 1


def _distinct_batches(positives: NDArray[np.int64], batch: int, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """A random order cut into batches; a query whose tile is in the batch already waits for the next one."""
    batches: list[NDArray[np.int64]] = []
    chosen: list[int] = []
    waiting = list(random.permutation(len(positives)))
    while waiting:
        tiles: set[int] = set()
        later: list[int] = []
        for position, index in enumerate(waiting):
            if len(chosen) == batch:
                later += waiting[position:]
                break
            if int(positives[index]) in tiles:
                later.append(index)
            else:
                tiles.add(int(positives[index]))
                chosen.append(index)
        if len(chosen) < batch:
            break
        batches.append(np.array(chosen, np.int64))
        chosen, waiting = [], later
    return batches
