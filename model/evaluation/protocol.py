"""How a data set's queries are asked in an evaluation: which of them, how wide they see, whether the heading is known.

What is hidden of a query is drawn from (seed, its number in the data set) alone, so every run, and every subset, hides
the same, and the draws can be recorded beside the ranks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from model.common.flags import Option
from model.common.specs import Wanted, spec
from model.data.pairs import Query
from model.inputs.specs import COARSE_HEADINGS, MOST_HEADINGS

__all__ = ["QueryProtocol", "QueryView"]


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


@spec(prefix="the protocol's ")
class QueryProtocol:
    """Which queries are asked, and what is known of them.

    Attributes:
        fov_deg: horizontal field of view that is left of each query, in (0, 360]; the rest becomes neutral.
        heading: `known`, or `unknown`: every query is turned by an angle that the search has to find.
        seed: of the random directions and turns.
        headings: rolled copies of the first pass where the heading is unknown, as `sweep_turns` takes them.
        queries: how many queries to ask, evenly spaced over the data set; None for all.

    Raises:
        BadConfig: a value is out of range.
    """

    fov_deg: Annotated[
        float,
        Gt(0),
        Le(360),
        Wanted("a field of view in (0, 360] degrees"),
        Option("cut every query to this horizontal field of view, in a random direction", "DEG"),
    ] = 360.0
    heading: Annotated[
        Literal["known", "unknown"],
        Option("unknown: turn every query by a random angle that the search has to find", flag="--heading-deg"),
    ] = "known"
    seed: Annotated[int, Ge(0), Option("seed of the random directions and turns", "N")] = 0
    headings: Annotated[int, Ge(1), Le(MOST_HEADINGS), Option("headings tried first where it is unknown", "N")] = (
        COARSE_HEADINGS
    )
    queries: Annotated[
        int | None, Ge(1), Option("ask N queries, evenly spaced, of the whole gallery (default: all)", "N")
    ] = None

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
        from model.inputs.heading_search import heading_of
        from model.inputs.transforms import limit_view, roll_to_north

        columns = canvas.shape[1]
        of_view, of_turn = np.random.default_rng((self.seed, number)).random(2)
        room_deg = 360.0 if query.fov_deg == 360 else max(0.0, query.fov_deg - self.fov_deg)
        view = round((query.heading_deg + (of_view - 0.5) * room_deg) * columns / 360.0)
        turn = math.floor(of_turn * columns) if self.searches else 0
        view_deg = heading_of(view, columns)
        seen = limit_view(canvas, self.fov_deg, view_deg)
        return QueryView(roll_to_north(seen, -heading_of(turn, columns)), view_deg, turn)

    def as_json(self, *, total: int, copies: list[int]) -> dict[str, Any]:
        """Every choice behind a result.

        Args:
            total: queries of the data set.
            copies: of each query that were embedded, in a first pass and in a second one.
        """
        asked = len(self.chosen(total))
        return {
            "queries": "all" if asked == total else f"{asked} of {total}, evenly spaced",
            "fov_deg": self.fov_deg,
            "heading": self.heading,
            "rolled_copies": copies,
            "seed": self.seed,
        }
