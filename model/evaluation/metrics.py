"""Retrieval metrics: where each query's positives stand, recall at k, average precision; ties by three rules.

A query may have several positives, and references that are left out of its ranking. Where a positive stands is a
*interval*, (rivals ahead, rivals ahead or tied): which end counts is a choice made when the numbers are summed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import numpy as np
from annotated_types import Gt
from numpy.typing import ArrayLike, NDArray

from model.common.flags import Option
from model.common.specs import Wanted, spec

__all__ = [
    "DISTRACTORS",
    "NEVER",
    "ONE_PERCENT",
    "TIE",
    "TIES",
    "RankInterval",
    "Scoring",
    "average_precisions",
    "median_rank",
    "one_percent",
    "rank_interval",
    "recall_at",
    "recall_table",
]

TIE = 1e-6
"""Scores closer than this are tied: float32 sums of one and the same product differ by less."""

Ties = Literal["pessimistic", "optimistic", "average"]
TIES: tuple[Ties, ...] = get_args(Ties)
"""Tied rivals go before the positive, behind it as in most public code, or before and behind it in equal parts."""

OnePercent = Literal["floor", "floor+1", "round+1"]
ONE_PERCENT: tuple[OnePercent, ...] = get_args(OnePercent)
"""How many references are 1 % of the gallery, see `one_percent`."""

NEVER = np.iinfo(np.int64).max // 2
"""The rank of what is not in the gallery; no k reaches it."""

_NONE: NDArray[np.int64] = np.empty(0, np.int64)
_Rows = NDArray[np.int64]


@dataclass(frozen=True)
class RankInterval:
    """Where one query's positives stand.

    Attributes:
        before: int64 [P, 2], the positives from best to worst: the rivals strictly ahead, and those ahead or tied.
            Positives and references left out are excluded from the ranking.
        top: the reference ranked first; the best positive only where it is alone at the top.
    """

    before: _Rows
    top: int

    @property
    def interval(self) -> _Rows:
        """int64 [2], of the best positive."""
        first: _Rows = self.before[0]
        return first


def rank_interval(scores: NDArray[np.float32], positives: _Rows, left_out: ArrayLike = _NONE) -> RankInterval:
    """Rank one query's references.

    A score that is not a number counts as a rival ahead; a positive's counts as the worst there is.

    Args:
        scores: float32 [R], of all references.
        positives: [P] at least one row that is right.
        left_out: rows that count neither as right nor as rivals.
    """
    own = scores[positives]
    own[np.isnan(own)] = -np.inf
    order = np.argsort(own)[::-1]
    thresholds = own[order]
    near = ~(scores < thresholds[-1] - TIE)  # not `>=`: what is not a number must not vanish
    near[positives] = near[np.asarray(left_out, np.int64)] = False
    rows = np.flatnonzero(near)
    rivals = scores[rows]
    ranked = np.sort(rivals)  # NaN last
    ahead = len(rivals) - np.searchsorted(ranked, thresholds + TIE, "right")
    ahead_or_tied = len(rivals) - np.searchsorted(ranked, thresholds - TIE, "left")
    top = rows[rivals.argmax()] if ahead_or_tied[0] else positives[order[0]]
    return RankInterval(np.stack([ahead, ahead_or_tied], axis=1), int(top))


def average_precisions(before: _Rows) -> NDArray[np.float64]:
    """The average precision of one query by two rules.

    Args:
        before: int64 [P, ...], rivals before each positive, ascending along the first axis.

    Returns:
        float64 [2, ...]: the area under the curve of precision over recall by trapezoids, as University-1652's code
        has it (a single positive in the second place has 0.25), and the usual sum of steps (there 0.5).
    """
    earlier = np.arange(len(before)).reshape(-1, *[1] * (before.ndim - 1))  # positives before each positive
    rows = before + earlier
    precision = (earlier + 1) / (rows + 1)
    precision_before = np.divide(earlier, rows, out=np.ones_like(precision), where=rows > 0)
    return np.stack([((precision_before + precision) / 2).mean(axis=0), precision.mean(axis=0)])


def recall_at(intervals: _Rows, k: int, ties: str = "pessimistic") -> float:
    """Share of queries, in percent, one of whose positives is among the first k.

    Args:
        intervals: int64 [Q, 2], of the best positives.
        k: at least 1.
        ties: one of `TIES`; `average` is the mean over all places that a positive can take among its tied rivals.
    """
    ahead, tied = intervals[:, 0], intervals[:, 1] - intervals[:, 0]
    places = {"pessimistic": k - ahead - tied, "optimistic": k - ahead, "average": (k - ahead) / (tied + 1)}
    return float(100.0 * np.clip(places[ties], 0, 1).sum() / len(intervals))  # divided last: 9,110 of 10,000 are 91.1


def median_rank(intervals: _Rows, ties: str = "pessimistic") -> float:
    """The median rank of the best positives, counted from 1."""
    ranks = {"pessimistic": intervals[:, 1], "optimistic": intervals[:, 0], "average": intervals.mean(axis=1)}
    return float(np.median(ranks[ties]) + 1)


def one_percent(gallery: int, rule: str = "floor") -> int:
    """How many references of a gallery are 1 % of it.

    Args:
        gallery: its size.
        rule: `floor`, rounded down, at least 1 (Sample4Geo, TransGeo, SAFA); `floor+1`, one more (VIGOR);
            `round+1`, rounded and one more (University-1652, whose `CMC[k]` holds the recall at k + 1).
    """
    down = gallery // 100
    return {"floor": max(1, down), "floor+1": down + 1, "round+1": round(gallery / 100) + 1}[rule]


def recall_table(
    intervals: _Rows, gallery: int, *, ties: str = "pessimistic", rule: str = "floor", ks: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """Recall at each k and at 1 % of the gallery, in percent."""
    table = {f"recall@{k}": recall_at(intervals, k, ties) for k in ks}
    table["recall@1%"] = recall_at(intervals, one_percent(gallery, rule), ties)
    return table


Distractors = Literal["keep", "drop"]
DISTRACTORS: tuple[Distractors, ...] = get_args(Distractors)
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


@spec(prefix="the protocol's ")
class Scoring:
    """The choices of an evaluation that need no new embedding.

    Attributes:
        ties: one of `TIES`: on which side of the positive a rival with the same score goes.
        one_percent: one of `ONE_PERCENT`: how many references 1 % of the gallery is.
        distractors: `keep`, or `drop` as some published University-1652 numbers do. 1 % stays that of the whole
            gallery, as in the code that drops them.
        within_m: radii in metres; recall is reported for each of them as well, where every reference whose centre
            lies so near to the query is right.

    Raises:
        BadConfig: a value is not one of these.
    """

    ties: Annotated[
        Ties,
        Option("where other tiles with the right tile's score are ranked; pessimistic: before it"),
    ] = "pessimistic"
    one_percent: Annotated[OnePercent, Option("how many tiles 1 % of the gallery is")] = "floor"
    distractors: Annotated[Distractors, Option("drop: leave out tiles that are the right one of no query")] = "keep"
    within_m: Annotated[
        tuple[Annotated[float, Gt(0)], ...],
        Wanted("metres above 0"),
        Option("also report recall within M metres: any tile whose centre is so near is right", "M", flag="--within"),
    ] = ()

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
