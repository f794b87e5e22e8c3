"""What became of every query of an evaluation, and the folder that lets others check it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.artefact import sha256_file, staged_folder, write_json
from model.data.pairs import PairSet
from model.geo import great_circle_many_m

__all__ = ["Outcomes", "save_outcomes"]

_COLUMNS = ("query", "picture", "rank", "top_reference", "view_deg", "heading_deg", "found_heading_deg", "distance_m")


@dataclass(frozen=True)
class Outcomes:
    """One row a query; a column that the data set or the protocol leaves without meaning is None.

    Attributes:
        numbers: int64 [Q], of the queries in the data set.
        ranks: int64 [Q], of the positive, 0 for the best.
        tops: int64 [Q], the reference ranked first; a tied rival goes before the positive.
        distances_m: [Q], from the centre of that reference to where the query was taken.
        hits: bool [Q, 2], see `covers_place`.
        view_deg: [Q], direction of the middle of what was shown.
        true_deg: [Q], where the centre of the canvas looked.
        found_deg: [Q], where the search says it looks.
    """

    numbers: NDArray[np.int64]
    ranks: NDArray[np.int64]
    tops: NDArray[np.int64]
    distances_m: NDArray[np.float64] | None = None
    hits: NDArray[np.bool_] | None = None
    view_deg: NDArray[np.float64] | None = None
    true_deg: NDArray[np.float64] | None = None
    found_deg: NDArray[np.float64] | None = None

    @classmethod
    def of_block(
        cls, pairs: PairSet, numbers: NDArray[np.int64], ranks: NDArray[np.int64], tops: NDArray[np.int64]
    ) -> Outcomes:
        """The outcomes of some queries, with distances where all their coordinates are known."""
        places = [pairs.queries[number].location for number in numbers]
        centres = [pairs.references[row].location for row in tops]
        known = [(a.lat, a.lon, b.lat, b.lon) for a, b in zip(places, centres, strict=True) if a and b]
        distances_m = great_circle_many_m(*np.array(known).T) if len(known) == len(numbers) else None
        return cls(numbers, ranks, tops, distances_m)

    @classmethod
    def joined(cls, parts: Sequence[Outcomes]) -> Outcomes:
        """Blocks one after another; a column that one of them lacks is lost."""
        columns: dict[str, Any] = {}
        for field in fields(cls):
            values = [getattr(part, field.name) for part in parts]
            columns[field.name] = None if any(value is None for value in values) else np.concatenate(values)
        return cls(**columns)

    @property
    def heading_errors_deg(self) -> NDArray[np.float64] | None:
        """[Q] in [0, 180], whether the tile is right or not; None where no heading was searched."""
        if self.found_deg is None or self.true_deg is None:
            return None
        errors: NDArray[np.float64] = np.abs((self.found_deg - self.true_deg + 180.0) % 360.0 - 180.0)
        return errors

    def summary(self) -> dict[str, float | None]:
        """What can be measured beside recall.

        `hit_rate` and `hit_rate_by_code` (percent, see `covers_place`) where semi-positives are known;
        `distance_m_median` and `_p90` where coordinates are; `heading_error_deg_median` and `_p90`, over queries whose
        first tile is the right one (null if there is none), where the heading was searched.
        """
        found: dict[str, float | None] = {}
        if self.hits is not None:
            by_text, by_code = self.hits.mean(axis=0) * 100.0
            found |= {"hit_rate": float(by_text), "hit_rate_by_code": float(by_code)}
        if self.distances_m is not None:
            found |= _quantiles("distance_m", self.distances_m)
        if (errors := self.heading_errors_deg) is not None:
            found |= _quantiles("heading_error_deg", errors[self.ranks == 0])
        return found


def save_outcomes(outcomes: Outcomes, pairs: PairSet, result: Mapping[str, Any], out: Path) -> None:
    """Write a new folder: `queries.csv`, one row a query, and `result.json`, which holds its digest.

    Raises:
        OutputExists: the folder is there already.
    """
    with staged_folder(out) as staged:
        table = staged / "queries.csv"
        with table.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_COLUMNS)
            writer.writerows(_rows(outcomes, pairs))
        write_json(staged / "result.json", {**result, "files": {table.name: sha256_file(table)}})


def _rows(outcomes: Outcomes, pairs: PairSet) -> list[tuple[Any, ...]]:
    count = len(outcomes.numbers)
    optional = (outcomes.view_deg, outcomes.true_deg, outcomes.found_deg, outcomes.distances_m)
    columns = [[""] * count if values is None else values.round(3).tolist() for values in optional]
    pictures = [pairs.queries[number].path.name for number in outcomes.numbers]
    tops = [pairs.references[row].path.name for row in outcomes.tops]
    return list(zip(outcomes.numbers.tolist(), pictures, outcomes.ranks.tolist(), tops, *columns, strict=True))


def _quantiles(name: str, values: NDArray[np.float64]) -> dict[str, float | None]:
    if not len(values):
        return {f"{name}_median": None, f"{name}_p90": None}
    median, most = np.percentile(values, [50, 90])
    return {f"{name}_median": float(median), f"{name}_p90": float(most)}
