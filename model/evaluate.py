"""Evaluation: embed both sides of a data set once, rank every query's positive, report recall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from model.data.loading import load_query, load_reference, view_loader
from model.data.pairs import PairSet
from model.metrics import positive_ranks, recall_table
from model.transforms import InputSpec

__all__ = ["Evaluation", "embed", "evaluate"]

Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Evaluation:
    """The result of one evaluation.

    Attributes:
        data: name of the data set.
        queries: number of queries.
        gallery: number of references, distractors included.
        recall: `recall@1`, `@5`, `@10`, `@1%`, in percent.
        median_rank: of the positives, counted from 1.
    """

    data: str
    queries: int
    gallery: int
    recall: dict[str, float]
    median_rank: float

    def as_json(self) -> dict[str, Any]:
        """One flat object."""
        return {
            "data": self.data,
            "queries": self.queries,
            "gallery": self.gallery,
            "median_rank": self.median_rank,
            "protocol": "one positive a query; ties count against the model; 1 % of the gallery rounded down",
            **self.recall,
        }


def embed(
    encode: Encode, loader: torch.utils.data.DataLoader[Any], count: int, dim: int, label: str
) -> NDArray[np.float32]:
    """All vectors [count, dim] of one view, in the loader's order."""
    vectors = np.empty((count, dim), np.float32)
    done = 0
    with tqdm(total=count, desc=label, unit="img", leave=False, disable=None) as bar:
        for batch in loader:
            vectors[done : done + len(batch)] = encode(batch.numpy())
            done += len(batch)
            bar.update(len(batch))
    return vectors


def evaluate(
    encode_ground: Encode,
    encode_satellite: Encode,
    inputs: InputSpec,
    dim: int,
    pairs: PairSet,
    *,
    batch: int = 64,
    workers: int = 0,
) -> Evaluation:
    """Recall of a pair of encoders on a data set."""
    ground = view_loader(pairs.queries, load_query, inputs, batch=batch, workers=workers)
    tiles = view_loader(pairs.references, load_reference, inputs, batch=batch, workers=workers)
    queries = embed(encode_ground, ground, len(pairs.queries), dim, "queries")
    references = embed(encode_satellite, tiles, len(pairs.references), dim, "gallery")
    ranks = positive_ranks(queries, references, pairs.positives)
    return Evaluation(
        data=pairs.name,
        queries=len(queries),
        gallery=len(references),
        recall=recall_table(ranks, len(references)),
        median_rank=float(np.median(ranks) + 1),
    )
