"""How ranks are counted, where published evaluations disagree. The defaults are the strict ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from model.common.errors import BadConfig
from model.evaluation.metrics import ONE_PERCENT, TIES, one_percent

__all__ = ["DISTRACTORS", "Scoring"]

DISTRACTORS = ("keep", "drop")
"""Whether references that are no query's positive stay in the gallery."""

_TIES_TOLD = {
    "pessimistic": "pessimistic: they count against the model",
    "optimistic": "optimistic: they count for the model",
    "average": "average over the places that a positive can take among them",
}
_ONE_PERCENT_TOLD = {
    "floor": "rounded down, at least 1",
    "floor+1": "rounded down, plus 1",
    "round+1": "rounded, plus 1",
}


@dataclass(frozen=True)
class Scoring:
    """The choices of an evaluation that need no new embedding.

    Attributes:
        ties: one of `TIES`: on which side of the positive a rival with the same score goes.
        one_percent: one of `ONE_PERCENT`: how many references 1 % of the gallery is.
        distractors: `keep`, or `drop` as some published University-1652 numbers do. 1 % stays that of the whole
            gallery, as in the code that drops them.
        within_m: radii in metres; recall is told for each of them as well, where every reference whose centre lies so
            near to the query is right.

    Raises:
        BadConfig: a value is not one of these.
    """

    ties: str = "pessimistic"
    one_percent: str = "floor"
    distractors: str = "keep"
    within_m: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name, known in (("ties", TIES), ("one_percent", ONE_PERCENT), ("distractors", DISTRACTORS)):
            if (value := getattr(self, name)) not in known:
                raise BadConfig(f"the protocol's {name} is {value!r}; give one of {', '.join(known)}")
        for radius_m in self.within_m:
            if not 0 < radius_m < math.inf:  # also false for NaN
                raise BadConfig(f"the protocol counts recall within {radius_m} m; give metres above 0")

    def as_json(self, *, references: int, distractors: int, positives: tuple[int, int]) -> dict[str, Any]:
        """Every choice behind a result.

        Args:
            references: of the data set.
            distractors: how many of them are no query's positive.
            positives: the fewest and the most that a query has.
        """
        least, most = positives
        counts = f"{most}" if least == most else f"{least} to {most}"
        done = "dropped" if self.distractors == "drop" else "kept"
        told = {
            "positives": "one a query" if most == 1 else f"{counts} a query, the best counts",
            "ties": _TIES_TOLD[self.ties],
            "recall@1%": f"the first {one_percent(references, self.one_percent)}: 1 % of {references}, "
            f"{_ONE_PERCENT_TOLD[self.one_percent]}",
            "distractors": f"{done}, {distractors} of {references} references",
        }
        return {**told, "within_m": list(self.within_m)} if self.within_m else told
