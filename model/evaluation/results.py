"""The result of an evaluation, as JSON, as a table and as curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.evaluation.ground_truth import Truth
from model.evaluation.metrics import median_rank, one_percent, recall_at, recall_table
from model.evaluation.query_results import Outcomes
from model.evaluation.scoring import Scoring

__all__ = ["Evaluation"]

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
        further: what else the data set allows to measure, see `Outcomes.summary`.
        protocol: every choice behind the numbers.
        outcomes: the same query by query.
        scoring: the choices of how ranks are counted.
    """

    data: str
    queries: int
    gallery: int
    recall: dict[str, float]
    median_rank: float
    further: dict[str, float | None]
    protocol: dict[str, Any]
    outcomes: Outcomes
    scoring: Scoring

    @classmethod
    def of(cls, outcomes: Outcomes, truth: Truth, scoring: Scoring, asked: Mapping[str, Any]) -> Evaluation:
        """Sum up outcomes; `asked` are the choices of how the queries were asked."""
        references, distractors = len(truth.tiles), len(truth.distractors)
        rules = scoring.as_json(references=references, distractors=distractors, positives=truth.positives_each)
        return cls(
            data=truth.data,
            queries=len(outcomes.numbers),
            gallery=references - (distractors if scoring.distractors == "drop" else 0),
            recall=recall_table(outcomes.spans, references, ties=scoring.ties, rule=scoring.one_percent),
            median_rank=median_rank(outcomes.spans, scoring.ties),
            further=outcomes.summary(scoring, references),
            protocol={**rules, **asked},
            outcomes=outcomes,
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
        lines.append(f"  {self.told_protocol}")
        return "\n".join(lines)

    @property
    def told_protocol(self) -> str:
        """The protocol in one line."""
        return f"protocol: {'; '.join(f'{name} {value}' for name, value in self.protocol.items())}"

    def curves(self) -> dict[str, NDArray[np.float64]]:
        """Recall in percent at every k from 1 to the larger of 100 and 1 % of the gallery, for each reading."""
        most = min(self.gallery, max(_CURVE_TO, one_percent(self.gallery)))
        readings = {"positives": self.outcomes.spans}
        readings |= {f"within {radius_m:g} m": spans for radius_m, spans in self.outcomes.of_radii(self.scoring)}
        return {
            name: np.array([recall_at(spans, k, self.scoring.ties) for k in range(1, most + 1)])
            for name, spans in readings.items()
        }
