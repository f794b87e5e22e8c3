"""The result of an evaluation, as JSON, as a table and as curves."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.common.atomic_io import sha256_file, staged_folder, write_json
from model.common.geo import great_circle_many_m
from model.evaluation.ground_truth import GroundTruth
from model.evaluation.metrics import NEVER, Scoring, median_rank, one_percent, recall_at, recall_table

__all__ = ["Evaluation", "QueryResults", "save_query_results"]

_UNITS = {"distance": "m", "heading": "degrees"}
_CURVE_TO = 100


@dataclass(frozen=True)
class Evaluation:
    """The result of one evaluation.

    Attributes:
        data: name of the data set.
        queries: number of queries asked.
        gallery: number of references that they were ranked in, distractors included unless dropped.
        recall: `recall@1`, `@5`, `@10`, `@1%`, in percent.
        median_rank: of the best positives, counted from 1.
        further: what else the data set allows to measure, see `QueryResults.summary`.
        protocol: every choice behind the numbers.
        query_results: the same query by query.
        scoring: the choices of how ranks are counted.
    """

    data: str
    queries: int
    gallery: int
    recall: dict[str, float]
    median_rank: float
    further: dict[str, float | None]
    protocol: dict[str, Any]
    query_results: QueryResults
    scoring: Scoring

    @classmethod
    def of(
        cls, query_results: QueryResults, truth: GroundTruth, scoring: Scoring, asked: Mapping[str, Any]
    ) -> Evaluation:
        """Sum up per-query results; `asked` are the choices of how the queries were asked."""
        references, distractors = len(truth.tiles), len(truth.distractors)
        rules = scoring.as_json(references=references, distractors=distractors, positives=truth.positives_each)
        return cls(
            data=truth.data,
            queries=len(query_results.numbers),
            gallery=references - (distractors if scoring.distractors == "drop" else 0),
            recall=recall_table(query_results.intervals, references, ties=scoring.ties, rule=scoring.one_percent),
            median_rank=median_rank(query_results.intervals, scoring.ties),
            further=query_results.summary(scoring, references),
            protocol={**rules, **asked},
            query_results=query_results,
            scoring=scoring,
        )

    def as_json(self) -> dict[str, Any]:
        """One object; flat but for the protocol."""
        return {
            "data": self.data,
            "queries": self.queries,
            "gallery": self.gallery,
            "median_rank": self.median_rank,
            "protocol": self.protocol,
            **self.recall,
            **self.further,
        }

    def table(self, checkpoint: str, trained_on: str | None) -> str:
        """The numbers and the protocol as lines."""
        trained = f" (trained on {trained_on})" if trained_on else ""
        lines = [f"{checkpoint}{trained} on {self.data}: {self.queries} queries, gallery of {self.gallery} tiles"]
        for name, value in {**self.recall, **self.further}.items():
            unit = _UNITS.get(name.partition("_")[0], "%")
            lines.append(f"  {name:26} {'none' if value is None else f'{value:8.2f} {unit}'}")
        lines.append(f"  {'median rank':26} {self.median_rank:8g}")
        lines.append(f"  {self.reported_protocol}")
        return "\n".join(lines)

    @property
    def reported_protocol(self) -> str:
        """The protocol in one line."""
        return f"protocol: {'; '.join(f'{name} {value}' for name, value in self.protocol.items())}"

    def curves(self) -> dict[str, NDArray[np.float64]]:
        """Recall in percent at every k from 1 to the larger of 100 and 1 % of the gallery, for each reading."""
        most = min(self.gallery, max(_CURVE_TO, one_percent(self.gallery)))
        readings = {"positives": self.query_results.intervals}
        readings |= {
            f"within {radius_m:g} m": intervals for radius_m, intervals in self.query_results.of_radii(self.scoring)
        }
        return {
            name: np.array([recall_at(intervals, k, self.scoring.ties) for k in range(1, most + 1)])
            for name, intervals in readings.items()
        }


_Column = NDArray[np.float64] | None


@dataclass(frozen=True)
class QueryResults:
    """One row a query; a column that the data set or the protocol leaves without meaning is None.

    An interval is (rivals ahead, rivals ahead or tied), see `model.evaluation.metrics`.

    Attributes:
        numbers: int64 [Q], of the queries in the data set.
        tops: int64 [Q], the reference ranked first; a tied rival goes before the positive.
        intervals: int64 [Q, 2], of the best positive.
        precisions: float64 [Q, 2, 2]: average precision by trapezoids and by steps, ties for and against the model.
        hits: int64 [Q, 2, 2]: the intervals of VIGOR's hit rate by the prose and by the code.
        within: int64 [Q, M, 2]: the interval where all references within the m-th radius are right; `NEVER` if none is.
        distances_m: [Q], from the centre of the first reference to where the query was taken.
        view_deg: [Q], direction of the middle of what was shown.
        true_deg: [Q], where the centre of the canvas looked.
        found_deg: [Q], where the search says it looks.
    """

    numbers: NDArray[np.int64]
    tops: NDArray[np.int64]
    intervals: NDArray[np.int64]
    precisions: NDArray[np.float64]
    hits: NDArray[np.int64] | None = None
    within: NDArray[np.int64] | None = None
    distances_m: _Column = None
    view_deg: _Column = None
    true_deg: _Column = None
    found_deg: _Column = None

    @classmethod
    def joined(cls, parts: Sequence[QueryResults]) -> QueryResults:
        """Blocks one after another; a column that one of them lacks is lost."""
        columns: dict[str, Any] = {}
        for field in fields(cls):
            values = [getattr(part, field.name) for part in parts]
            columns[field.name] = None if any(value is None for value in values) else np.concatenate(values)
        return cls(**columns)

    def seen(self, view_deg: NDArray[np.float64], true_deg: NDArray[np.float64], found_deg: _Column) -> QueryResults:
        """The same with the angles."""
        return replace(self, view_deg=view_deg, true_deg=true_deg, found_deg=found_deg)

    def located(self, truth: GroundTruth) -> QueryResults:
        """The same with distances, where all coordinates are known."""
        places, centres = truth.places[self.numbers], truth.centres[self.tops]
        distances_m = great_circle_many_m(*places.T, *centres.T)
        return self if np.isnan(distances_m).any() else replace(self, distances_m=distances_m)

    @property
    def ranks(self) -> NDArray[np.int64]:
        """int64 [Q], of the best positive, 0 for the best; ties count against the model."""
        return self.intervals[:, 1]

    @property
    def heading_errors_deg(self) -> _Column:
        """[Q] in [0, 180], whether the tile is right or not; None where no heading was searched."""
        if self.found_deg is None or self.true_deg is None:
            return None
        errors: NDArray[np.float64] = np.abs((self.found_deg - self.true_deg + 180.0) % 360.0 - 180.0)
        return errors

    def summary(self, scoring: Scoring, references: int) -> dict[str, float | None]:
        """What can be measured beside recall, in a gallery of so many references.

        `ap` and `ap_step` (percent, see `average_precisions`); `hit_rate` and `hit_rate_by_code` (percent) where
        semi-positives are known; `recall@1_within_5m` and its like for each radius; `distance_m_median` and `_p90`
        where coordinates are known; `heading_error_deg_median` and `_p90`, over queries whose first tile is the right
        one (null if there is none), where the heading was searched.
        """
        ends = {"optimistic": [0], "pessimistic": [1], "average": [0, 1]}[scoring.ties]
        by_area, by_steps = self.precisions[:, :, ends].mean(axis=(0, 2)) * 100.0
        found: dict[str, float | None] = {"ap": float(by_area), "ap_step": float(by_steps)}
        if self.hits is not None:
            for place, name in enumerate(("hit_rate", "hit_rate_by_code")):
                found[name] = recall_at(self.hits[:, place], 1, scoring.ties)
        for radius_m, intervals in self.of_radii(scoring):
            table = recall_table(intervals, references, ties=scoring.ties, rule=scoring.one_percent)
            found |= {f"{name}_within_{radius_m:g}m": value for name, value in table.items()}
        if self.distances_m is not None:
            found |= _quantiles("distance_m", self.distances_m)
        if (errors := self.heading_errors_deg) is not None:
            found |= _quantiles("heading_error_deg", errors[self.ranks == 0])
        return found

    def of_radii(self, scoring: Scoring) -> list[tuple[float, NDArray[np.int64]]]:
        """Each radius in metres with its intervals."""
        return [] if self.within is None else list(zip(scoring.within_m, self.within.swapaxes(0, 1), strict=True))


def save_query_results(
    query_results: QueryResults, truth: GroundTruth, scoring: Scoring, result: Mapping[str, Any], out: Path
) -> None:
    """Write a new folder: `queries.csv`, one row a query, and `result.json`, which holds its digest.

    Raises:
        OutputExists: the folder is there already.
    """
    with staged_folder(out) as staged:
        table = staged / "queries.csv"
        columns = _columns(query_results, truth, scoring)
        with table.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        write_json(staged / "result.json", {**result, "files": {table.name: sha256_file(table)}})


def _columns(query_results: QueryResults, truth: GroundTruth, scoring: Scoring) -> dict[str, list[Any]]:
    numbers, intervals = query_results.numbers, query_results.intervals
    angles_and_distance = {
        "view_deg": query_results.view_deg,
        "heading_deg": query_results.true_deg,
        "found_heading_deg": query_results.found_deg,
        "distance_m": query_results.distances_m,
    }
    return {
        "query": numbers.tolist(),
        "picture": [truth.pictures[number] for number in numbers],
        "rank": query_results.ranks.tolist(),
        "tied": (intervals[:, 1] - intervals[:, 0]).tolist(),
        "top_reference": [truth.tiles[row] for row in query_results.tops],
        **{
            name: [""] * len(numbers) if values is None else values.round(3).tolist()
            for name, values in angles_and_distance.items()
        },
        **{
            f"rank_within_{radius_m:g}m": ["" if rank == NEVER else rank for rank in intervals[:, 1].tolist()]
            for radius_m, intervals in query_results.of_radii(scoring)
        },
    }


def _quantiles(name: str, values: NDArray[np.float64]) -> dict[str, float | None]:
    if not len(values):
        return {f"{name}_median": None, f"{name}_p90": None}
    median, most = np.percentile(values, [50, 90])
    return {f"{name}_median": float(median), f"{name}_p90": float(most)}
