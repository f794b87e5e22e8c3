"""Two data sets in one run: pairs to learn, and pairs of an earlier run to replay, so that those are not forgotten.

The sets are joined by `model.data.joined`, and both keep their own epochs: a batch takes so many draws of either, and a
draw of the joined set means what it would have meant alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.data.pictures import Pictures

__all__ = ["JoinedPictures", "join_draws"]


@dataclass(frozen=True)
class JoinedPictures:
    """The pictures of two data sets, those of the first one first.

    Attributes:
        first: of the pairs to learn.
        second: of the pairs to replay.
        queries: how many queries the first has.
        references: how many references it has.
    """

    first: Pictures
    second: Pictures
    queries: int
    references: int

    def query(self, row: int) -> NDArray[np.uint8]:
        """A query's canvas, uint8 [H, W, 3]."""
        return self.first.query(row) if row < self.queries else self.second.query(row - self.queries)

    def reference(self, row: int) -> NDArray[np.uint8]:
        """A tile with its margin, uint8 [S, S, 3]."""
        return self.first.reference(row) if row < self.references else self.second.reference(row - self.references)


def join_draws(
    first: Iterator[list[int]], second: Iterator[list[int]], first_count: int, second_count: int
) -> Iterator[list[int]]:
    """Batches of the joined set; a draw of pair `index` in epoch `epoch` is `epoch * pairs + index` in each."""
    total = first_count + second_count
    for ours, theirs in zip(first, second, strict=False):
        own = [draw // first_count * total + draw % first_count for draw in ours]
        yield own + [draw // second_count * total + first_count + draw % second_count for draw in theirs]
