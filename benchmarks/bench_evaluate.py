"""Seconds and memory of ranking 10,000 queries in 90,000 references, against the way that holds all scores.

Both read the same stored float16 vectors and find the same recalls. The full-matrix way multiplies everything at once,
then counts query by query which references score higher, as public code does. Each runs in a process of its own, whose
peak of resident memory is read when it ends.

    python -m benchmarks.bench_evaluate
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import write_record
from model.evaluation.embeddings import open_embeddings, write_embeddings
from model.evaluation.ground_truth import GroundTruth
from model.evaluation.metrics import Scoring, recall_table
from model.evaluation.ranking import EmbeddedQueries

_NOISE = 5.0
"""Length of what is added to a reference to make its query: enough that some are not found first."""
_BATCH = 4096


def main() -> None:
    """Measure, print a table, write `results/evaluate.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--queries", type=int, default=10_000, help="number of queries (default 10000)")
    parser.add_argument("--references", type=int, default=90_000, help="size of the gallery (default 90000)")
    parser.add_argument("--dim", type=int, default=512, help="length of a vector (default 512)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each way takes (default 3)")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="which to measure")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(args.measure[0], Path(args.measure[1]))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = write_vectors(Path(scratch) / "embeddings", args.queries, args.references, args.dim)
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in args.ways}
        for _ in range(args.rounds):
            for way in args.ways:
                runs[way].append(measure_apart(way, folder))
    ways = {way: summary(found) for way, found in runs.items()}
    for way, found in ways.items():
        print(f"{way:12} {found['seconds']:9.1f} s  peak {found['peak_mb']:9,.0f} MB  {found['recall']}")
    sizes = {"queries": args.queries, "references": args.references, "dim": args.dim}
    print(write_record("evaluate", {**sizes, "precision": "float16", "ways": ways}))


def write_vectors(folder: Path, queries: int, references: int, dim: int) -> Path:
    """Random references, and queries near to some of them."""
    rng = np.random.default_rng(0)
    positives = rng.choice(references, queries, replace=queries > references)

    def gallery() -> Iterator[NDArray[np.float32]]:
        for start in range(0, references, _BATCH):
            yield unit(rng.standard_normal((min(_BATCH, references - start), dim), dtype=np.float32))

    def ask(stored: NDArray[Any]) -> Iterator[EmbeddedQueries]:
        for start in range(0, queries, _BATCH):
            numbers = np.arange(start, min(start + _BATCH, queries))
            noise = unit(rng.standard_normal((len(numbers), dim), dtype=np.float32))
            near = unit(stored[positives[numbers]].astype(np.float32) + _NOISE * noise)
            zeros = np.zeros(len(numbers))
            yield EmbeddedQueries(numbers, near[:, np.newaxis], zeros[:, np.newaxis], zeros, zeros)

    names = tuple(map(str, range(max(queries, references))))
    unknown = np.full((len(names), 2), np.nan)
    rows = tuple(positives.reshape(-1, 1))
    truth = GroundTruth(
        "random", names[:queries], names[:references], rows, (), unknown[:queries], unknown[:references]
    )
    write_embeddings(folder, {"checkpoint": {}, "asked": {}}, truth, gallery(), ask, precision="float16")
    return folder


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1."""
    units: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def blocks(folder: Path) -> dict[str, float]:
    """Our way: what `evaluate --from` does."""
    return open_embeddings(folder).evaluate(Scoring()).recall


def full_matrix(folder: Path) -> dict[str, float]:
    """The way of public code: all scores in memory, then a loop over the queries. Ties are for the model."""
    stored = open_embeddings(folder)
    queries, references = (np.asarray(part, np.float32) for part in (stored.queries.vectors[:, 0], stored.references))
    scores = queries @ references.T
    ranks = np.array([(row > row[own[0]]).sum() for row, own in zip(scores, stored.truth.positives, strict=True)])
    return recall_table(np.stack([ranks, ranks], axis=1), len(references))


WAYS: dict[str, Callable[[Path], dict[str, float]]] = {"blocks": blocks, "full matrix": full_matrix}


def measure(way: str, folder: Path) -> dict[str, Any]:
    """Run one way in this process: seconds, peak of resident memory in MB, recall."""
    began = time.perf_counter()
    recall = WAYS[way](folder)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return {"seconds": time.perf_counter() - began, "peak_mb": peak_mb, "recall": recall}


def measure_apart(way: str, folder: Path) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench_evaluate", "--measure", way, str(folder)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Median seconds, the highest peak, and the recall, which is always the same."""
    return {
        "seconds": round(statistics.median(one["seconds"] for one in found), 2),
        "peak_mb": round(max(one["peak_mb"] for one in found), 1),
        "recall": {name: round(value, 2) for name, value in found[0]["recall"].items()},
    }


if __name__ == "__main__":
    main()
