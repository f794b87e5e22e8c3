"""Whether an engine computes what torch computes in float32: the gate that exports of a bundle have to pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadExport
from model.data.pairs import PairSet
from model.data.pictures import loads_of, view_batches
from model.evaluation.evaluator import DualEncoder, embed_gallery, evaluate
from model.evaluation.protocol import QueryProtocol
from model.network.encoder import Encoder

__all__ = [
    "LEAST_COSINE",
    "MOST_RECALL_LOST",
    "Parity",
    "SweepParity",
    "dual_encoder",
    "measure_parity",
    "measure_sweep",
]

LEAST_COSINE = 0.999
"""Of a picture's two vectors; a smaller one is refused."""
MOST_RECALL_LOST = 0.2
"""Percentage points by which R@1 may be lower."""
_PICTURES = 200
"""Of each view that are compared."""
_QUERIES = 500
"""Of unknown heading that are asked both ways."""
_BATCH = 32


@dataclass(frozen=True)
class Parity:
    """How near an engine comes to the reference.

    Attributes:
        engine: that was measured.
        precision: that it computed in.
        data: where the pictures are from.
        pictures: compared, of both views together.
        least_cosine: of a picture's two vectors.
        greatest_difference: between two numbers of them.
        recall_reference: R@1 of torch in float32, in percent.
        recall: R@1 of the engine, in percent.
    """

    engine: str
    precision: str
    data: str
    pictures: int
    least_cosine: float
    greatest_difference: float
    recall_reference: float
    recall: float

    def require(self) -> None:
        """Let pass, or not.

        Raises:
            BadExport: a picture's vectors lie too far apart, or recall is lost.
        """
        told = f"{self.engine} in {self.precision} against torch in float32 on {self.data}"
        if not self.least_cosine >= LEAST_COSINE:
            raise BadExport(f"{told}: the least cosine of a picture is {self.least_cosine:.5f}, below {LEAST_COSINE}")
        if not self.recall >= self.recall_reference - MOST_RECALL_LOST:
            raise BadExport(
                f"{told}: R@1 is {self.recall:.2f} % instead of {self.recall_reference:.2f} %, "
                f"more than {MOST_RECALL_LOST} points lower"
            )

    def as_json(self) -> dict[str, Any]:
        """As it is kept beside the exports."""
        return asdict(self)


@dataclass(frozen=True)
class SweepParity:
    """What a search over headings finds that computes all of them at once.

    Attributes:
        data: where the pictures are from.
        queries: asked, each turned by an angle that nobody knows.
        recall_each: R@1 in percent where every heading is computed on its own.
        recall_at_once: R@1 in percent where all are computed at once, and the best of them again.
    """

    data: str
    queries: int
    recall_each: float
    recall_at_once: float

    @property
    def passes(self) -> bool:
        """Whether it finds as much."""
        return self.recall_at_once >= self.recall_each - MOST_RECALL_LOST

    def as_json(self) -> dict[str, Any]:
        """As it is kept beside the exports."""
        return {**asdict(self), "kept": self.passes}


def measure_sweep(encoder: Encoder, pairs: PairSet) -> SweepParity:
    """Ask queries whose headings are unknown both ways.

    Args:
        encoder: that computes all headings at once.
        pairs: whose queries are panoramas.
    """
    protocol, both = QueryProtocol(heading="unknown", queries=_QUERIES), dual_encoder(encoder)
    gallery = embed_gallery(both, pairs)
    each, at_once = (
        evaluate(one, pairs, protocol=protocol, references=gallery) for one in (replace(both, at_once=None), both)
    )
    asked = len(protocol.chosen(len(pairs.queries)))
    return SweepParity(pairs.name, asked, each.recall["recall@1"], at_once.recall["recall@1"])


def measure_parity(reference: Encoder, encoder: Encoder, pairs: PairSet) -> Parity:
    """Compare two encoders of one bundle on a data set.

    Args:
        reference: torch in float32.
        encoder: the one to judge.
        pairs: pictures to compare vectors of, and to measure recall on.
    """
    least, greatest, pictures = 1.0, 0.0, 0
    load_query, load_reference = loads_of(pairs)
    for items, load, view in (
        (pairs.queries, load_query, pairs.query_view),
        (pairs.references, load_reference, pairs.reference_view),
    ):
        chosen = [items[row] for row in np.unique(np.linspace(0, len(items) - 1, _PICTURES).astype(np.int64))]
        for pixels in view_batches(chosen, load, encoder.inputs, batch=_BATCH, workers=0):
            wanted, found = (_side(one, view)(pixels).reshape(-1, one.dim) for one in (reference, encoder))
            least = min(least, float(_cosines(wanted, found).min()))
            greatest = max(greatest, float(np.abs(wanted - found).max()))
            pictures += len(pixels)
    recalls = [evaluate(dual_encoder(one), pairs).recall["recall@1"] for one in (reference, encoder)]
    engine = encoder.engine
    return Parity(engine.name, engine.precision, pairs.name, pictures, least, greatest, *recalls)


def _side(encoder: Encoder, view: str) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    return encoder.encode_ground if view == "ground" else encoder.encode_satellite


def dual_encoder(encoder: Encoder) -> DualEncoder:
    """An encoder as the evaluator takes it."""
    at_once = encoder.encode_headings if encoder.sweeps else None
    return DualEncoder(encoder.encode_ground, encoder.encode_satellite, encoder.inputs, encoder.dim, at_once)


def _cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    cosines: NDArray[np.float32] = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return cosines
