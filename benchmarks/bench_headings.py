"""What a search over unknown headings finds, each heading computed on its own and all at once, on the same queries.

The same panoramas, turned by the same angles, are searched in the same gallery: every heading a pass of its own, all
headings at once with the peak of their scores read between them, and at once without that. Recall, how far the heading
found is off where the first tile is right, and how often the first tile is that of the full search. Writes
`results/unknown-headings.json`.

    python -m benchmarks.bench_headings
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import write_record
from model.data.pairs import PairSet
from model.data.sources import DEFAULT_CACHE, open_pairs
from model.evaluation.evaluator import DualEncoder, embed_gallery, evaluate
from model.evaluation.parity import dual_encoder
from model.evaluation.protocol import QueryProtocol
from model.evaluation.results import Evaluation, QueryResults
from model.inputs import heading_search
from model.network.encoder import Encoder

_FOUND_DEG = 15.0
"""A heading nearer to the true one is found, not mistaken for another."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", nargs="+", default=["demo"], help="bundles whose exports hold headings.onnx")
    parser.add_argument("--data", default="world:val", help="data set (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="folder of rendered worlds")
    parser.add_argument("--queries", type=int, default=500, help="asked, each with its heading unknown")
    parser.add_argument("--threads", type=int, default=1, help="of one pass")
    args = parser.parse_args(argv)
    pairs = open_pairs(args.data, cache=args.cache)
    result = {}
    for name in args.checkpoint:
        encoder = Encoder.load(name, device="cpu", engine="onnxruntime", threads=args.threads)
        if not encoder.sweeps:
            parser.error(f"{name} has no headings.onnx; name bundles that have, or export it again")
        result[name] = _measure(dual_encoder(encoder), pairs, args.queries)
        for way, found in result[name].items():
            print(f"{name} {way:28}", found)
    print(write_record("unknown-headings", {"data": pairs.name, "queries": args.queries, **result}))
    return 0


def _measure(encoders: DualEncoder, pairs: PairSet, queries: int) -> dict[str, dict[str, float]]:
    gallery = embed_gallery(encoders, pairs)

    def asked(one: DualEncoder, heading: str = "unknown") -> Evaluation:
        protocol = QueryProtocol(heading=heading, queries=queries)  # type: ignore[arg-type]
        return evaluate(one, pairs, protocol=protocol, references=gallery)

    full = asked(replace(encoders, at_once=None))
    found = {
        "known heading": asked(encoders, "known"),
        "each on its own": full,
        "at once": asked(encoders),
    }
    with patch.object(heading_search, "peak_offsets", _no_offset):
        found["at once, the best of them alone"] = asked(encoders)
    return {name: _summed(one, full.query_results) for name, one in found.items()}


def _summed(one: Evaluation, full: QueryResults) -> dict[str, float]:
    results = one.query_results
    told = {key: one.recall[key] for key in ("recall@1", "recall@5", "recall@10")}
    told["same_first_as_each"] = 100 * float(np.mean(results.tops == full.tops))
    errors = results.heading_errors_deg
    if errors is not None:
        right = errors[results.ranks == 0]
        told["heading_within_15_deg"] = 100 * float(np.mean(right <= _FOUND_DEG))
        told["heading_off_deg"] = float(right[right <= _FOUND_DEG].mean())
    return {key: round(value, 2) for key, value in told.items()}


def _no_offset(scores: NDArray[np.floating[Any]], columns: int) -> NDArray[np.int64]:  # noqa: ARG001
    return np.zeros((len(scores), 1), np.int64)


if __name__ == "__main__":
    sys.exit(main())
