"""The queries by which approximate lists are tuned: panoramas where there are some, else vectors with noise.

They are kept beside the lists, so that segments can be joined without the encoder and tuned by the same questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_QUERIES", "NOISE", "TRIAL", "MakeTrial", "Trial", "joined_trial", "noisy_trial", "spread"]

TRIAL = "trial.npy"
"""File of a segment that keeps its queries."""
MOST_QUERIES = 200
NOISE = "vectors with noise"
"""Kind of a trial that needs no pictures."""
_OWN_QUERIES = 100
_LIKENESS = 0.7
"""Cosine similarity of a noisy query and the vector that it was made from."""

_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trial:
    """Queries that no list was made from.

    Attributes:
        queries: float32 [Q, D], unit vectors.
        kind: what they are, for people, in the plural.
    """

    queries: _Floats
    kind: str

    def write(self, folder: Path) -> None:
        """Keep them in a segment's folder."""
        np.save(folder / TRIAL, self.queries.astype(np.float16), allow_pickle=False)


MakeTrial = Callable[[], Trial | None]
"""Makes the queries once they are needed; None where there are no pictures to make them from."""


def spread(count: int, wanted: int) -> NDArray[np.int64]:
    """At most so many of `count` numbers, evenly spread, ascending."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).astype(np.int64))


def noisy_trial(vectors: NDArray[np.float16]) -> Trial:
    """Vectors [N, D], evenly spread, each turned away from itself by noise."""
    own = vectors[spread(len(vectors), _OWN_QUERIES)].astype(np.float32)
    noise = np.random.default_rng(0).standard_normal(own.shape, dtype=np.float32)
    noise -= (noise * own).sum(axis=1, keepdims=True) * own
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return Trial(_unit(_LIKENESS * own + np.float32(np.sqrt(1 - _LIKENESS**2)) * noise), NOISE)


def joined_trial(kept: Sequence[tuple[Path, str]]) -> Trial | None:
    """The queries of several segments as those of one; None where none kept any.

    Args:
        kept: (folder, kind) of each segment; those whose kind is `NOISE` or empty hold none.
    """
    each = [(np.load(folder / TRIAL, allow_pickle=False), kind) for folder, kind in kept if (folder / TRIAL).is_file()]
    if not each:
        return None
    queries = np.concatenate([queries for queries, _ in each]).astype(np.float32)
    kinds = dict.fromkeys(kind for _, kind in each)
    return Trial(_unit(queries[spread(len(queries), MOST_QUERIES)]), " and ".join(kinds))


def _unit(vectors: _Floats) -> _Floats:
    unit: _Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
