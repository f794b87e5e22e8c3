"""How a data set's queries are asked in an evaluation: which of them, how wide they see, whether the heading is known.

What is hidden of a query is drawn from (seed, its number in the data set) alone, so every run, and every subset, hides
the same, and the draws can be recorded beside the ranks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadConfig
from model.data.pairs import Query
from model.inputs.heading_search import COARSE_HEADINGS, coarse_turns, fine_offsets, heading_of
from model.inputs.transforms import limit_view, roll_to_north

__all__ = ["HEADINGS", "QueryProtocol", "QueryView"]

HEADINGS = ("known", "unknown")
"""Whether the search is told where a query's centre looks."""

_MOST_HEADINGS = 360
"""One a degree; finer steps are the second pass's."""


@dataclass(frozen=True)
class QueryView:
    """A query as it is asked.

    Attributes:
        canvas: uint8 [H, W, 3]: north-centred, or turned away from north where the heading is unknown.
        view_deg: direction of the middle of what is seen.
        turn: columns that bring the canvas back to north; 0 where the heading is known.
    """

    canvas: NDArray[np.uint8]
    view_deg: float
    turn: int


@dataclass(frozen=True)
class QueryProtocol:
    """Which queries are asked, and what is known of them.

    Attributes:
        fov_deg: horizontal field of view that is left of each query, in (0, 360]; the rest becomes neutral.
        heading: `known`, or `unknown`: every query is turned by an angle that the search has to find.
        seed: of the directions and turns drawn.
        headings: rolled copies of the first pass where the heading is unknown.
        queries: how many queries to ask, evenly spaced over the data set; None for all.

    Raises:
        BadConfig: a value is out of range.
    """

    fov_deg: float = 360.0
    heading: str = "known"
    seed: int = 0
    headings: int = COARSE_HEADINGS
    queries: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.fov_deg <= 360:  # also false for NaN
            raise BadConfig(f"the protocol's fov_deg is {self.fov_deg}; give a field of view in (0, 360] degrees")
        if self.heading not in HEADINGS:
            raise BadConfig(f"the protocol's heading is {self.heading!r}; give one of {', '.join(HEADINGS)}")
        if self.seed < 0:
            raise BadConfig(f"the protocol's seed is {self.seed}; give a whole number of at least 0")
        if not 1 <= self.headings <= _MOST_HEADINGS:
            raise BadConfig(f"the protocol's headings are {self.headings}; give 1 to {_MOST_HEADINGS} rolled copies")
        if self.queries is not None and self.queries < 1:
            raise BadConfig(f"the protocol asks {self.queries} queries; give at least 1")

    @property
    def searches(self) -> bool:
        """Whether headings are searched."""
        return self.heading == "unknown"

    def chosen(self, count: int) -> NDArray[np.int64]:
        """The numbers, ascending, of the queries to ask of a data set that has `count`."""
        asked = count if self.queries is None else min(self.queries, count)
        return np.arange(asked, dtype=np.int64) * count // asked

    def ask(self, canvas: NDArray[np.uint8], query: Query, number: int) -> QueryView:
        """Hide what the protocol hides.

        Args:
            canvas: the query's north-centred canvas, uint8 [H, W, 3].
            query: where it looks and how wide it is; the view that is left lies inside it.
            number: of the query in the data set.
        """
        columns = canvas.shape[1]
        of_view, of_turn = np.random.default_rng((self.seed, number)).random(2)
        room_deg = 360.0 if query.fov_deg == 360 else max(0.0, query.fov_deg - self.fov_deg)
        view = round((query.heading_deg + (of_view - 0.5) * room_deg) * columns / 360.0)
        turn = math.floor(of_turn * columns) if self.searches else 0
        view_deg = heading_of(view, columns)
        seen = limit_view(canvas, self.fov_deg, view_deg)
        return QueryView(roll_to_north(seen, -heading_of(turn, columns)), view_deg, turn)

    def as_json(self, *, total: int, columns: int) -> dict[str, Any]:
        """Every choice behind a result.

        Args:
            total: queries of the data set.
            columns: of the canvas, which bound the copies.
        """
        asked = len(self.chosen(total))
        copies = [len(coarse_turns(self.headings, columns)), len(fine_offsets(self.headings, columns))]
        return {
            "queries": "all" if asked == total else f"{asked} of {total}, evenly spaced",
            "fov_deg": self.fov_deg,
            "heading": self.heading,
            "rolled_copies": copies if self.searches else [1, 0],
            "seed": self.seed,
        }
