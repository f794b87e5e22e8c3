"""Evaluation: embed the gallery once, ask every query by a protocol, rank its positive, report recall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from model.data.loading import loads_of, view_loader
from model.data.pairs import PairSet
from model.errors import BadConfig
from model.headings import coarse_turns, fine_offsets, heading_of
from model.metrics import BLOCK_BYTES, covers_place, positive_ranks, recall_table, top_rows
from model.outcomes import Outcomes
from model.protocol import Asked, QueryProtocol
from model.transforms import InputSpec, roll_to_north

__all__ = ["Evaluation", "embed", "evaluate"]

Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_AS_IT_IS = QueryProtocol()


@dataclass(frozen=True)
class Evaluation:
    """The result of one evaluation.

    Attributes:
        data: name of the data set.
        queries: number of queries asked.
        gallery: number of references, distractors included.
        recall: `recall@1`, `@5`, `@10`, `@1%`, in percent.
        median_rank: of the positives, counted from 1.
        further: what else the data set allows to measure, see `Outcomes.summary`.
        protocol: every choice behind the numbers.
        outcomes: the same query by query.
    """

    data: str
    queries: int
    gallery: int
    recall: dict[str, float]
    median_rank: float
    further: dict[str, float | None]
    protocol: dict[str, Any]
    outcomes: Outcomes

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
    protocol: QueryProtocol = _AS_IT_IS,
    batch: int = 64,
    workers: int = 0,
) -> Evaluation:
    """Recall of a pair of encoders on a data set.

    Memory is that of the gallery's vectors and a few blocks of `BLOCK_BYTES`, however many queries and copies.

    Args:
        encode_ground: canvases uint8 [B, H, W, 3] -> unit vectors float32 [B, dim].
        encode_satellite: tiles, likewise.
        inputs: sizes of the pictures.
        dim: length of the vectors.
        pairs: the data set.
        protocol: which queries are asked, and how.
        batch: pictures encoded at once.
        workers: processes that decode.

    Raises:
        BadConfig: the protocol does not fit the data set.
    """
    _refuse_protocol(pairs, protocol)
    sides = {"ground": encode_ground, "satellite": encode_satellite}
    load_query, load_reference = loads_of(pairs)
    tiles = view_loader(pairs.references, load_reference, inputs, batch=batch, workers=workers)
    references = embed(sides[pairs.reference_view], tiles, len(pairs.references), dim, "gallery")
    numbers = protocol.chosen(len(pairs.queries))
    block = min(batch, max(1, BLOCK_BYTES // (4 * len(references))))
    queries = view_loader(
        [pairs.queries[number] for number in numbers], load_query, inputs, batch=block, workers=workers
    )
    parts: list[Outcomes] = []
    with tqdm(total=len(numbers), desc="queries", unit="img", leave=False, disable=None) as bar:
        for canvases, part in zip(queries, np.split(numbers, range(block, len(numbers), block)), strict=True):
            asked = [
                protocol.ask(canvas, pairs.queries[number], int(number))
                for canvas, number in zip(canvases.numpy(), part, strict=True)
            ]
            parts.append(_outcomes(sides[pairs.query_view], references, asked, part, pairs, protocol))
            bar.update(len(part))
    outcomes = Outcomes.joined(parts)
    return Evaluation(
        data=pairs.name,
        queries=len(numbers),
        gallery=len(references),
        recall=recall_table(outcomes.ranks, len(references)),
        median_rank=float(np.median(outcomes.ranks) + 1),
        further=outcomes.summary(),
        protocol=protocol.as_json(total=len(pairs.queries), columns=inputs.ground_width_px),
        outcomes=outcomes,
    )


def _refuse_protocol(pairs: PairSet, protocol: QueryProtocol) -> None:
    if pairs.query_view != "ground" and (protocol.searches or protocol.fov_deg < 360):
        raise BadConfig(f"the queries of {pairs.name} are tiles; leave the field of view whole and the heading known")
    if pairs.more_positives:
        raise BadConfig(f"queries of {pairs.name} have several right references; this evaluation ranks one a query")


def _outcomes(
    encode: Encode,
    references: NDArray[np.float32],
    asked: Sequence[Asked],
    numbers: NDArray[np.int64],
    pairs: PairSet,
    protocol: QueryProtocol,
) -> Outcomes:
    """Search a block of queries and judge what is found."""
    canvases = np.stack([query.canvas for query in asked])
    scores, turns = _search(encode, references, canvases, protocol)
    positives = pairs.positives[numbers]
    ranks = positive_ranks(scores, positives)
    columns = canvases.shape[2]
    found = Outcomes.of_block(pairs, numbers, ranks, top_rows(scores, positives, ranks))
    if pairs.semi_positives:
        hits = [
            covers_place(row, int(pairs.positives[number]), pairs.semi_positives[number])
            for row, number in zip(scores, numbers, strict=True)
        ]
        found = replace(found, hits=np.array(hits, np.bool_))
    return replace(
        found,
        view_deg=np.array([query.view_deg for query in asked]),
        true_deg=np.array([heading_of(query.turn, columns) for query in asked]),
        found_deg=np.array([heading_of(int(turn), columns) for turn in turns]) if protocol.searches else None,
    )


def _search(
    encode: Encode, references: NDArray[np.float32], canvases: NDArray[np.uint8], protocol: QueryProtocol
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(scores [B, R], turns [B]): the best score of each tile over all copies, and the turn of each best match."""
    count, columns = len(canvases), canvases.shape[2]
    best = _BestOverCopies(encode, references, canvases)
    for turn in coarse_turns(protocol.headings, columns) if protocol.searches else [0]:
        best.add(np.full(count, turn, np.int64))
    around = best.turns
    for offset in fine_offsets(protocol.headings, columns) if protocol.searches else []:
        best.add((around + offset) % columns)
    return best.scores, best.turns


class _BestOverCopies:
    """The best scores of a block of queries so far; holds one score matrix, however many copies are added."""

    def __init__(self, encode: Encode, references: NDArray[np.float32], canvases: NDArray[np.uint8]) -> None:
        self._encode, self._references, self._canvases = encode, references, canvases
        self._peaks = np.full(len(canvases), -np.inf, np.float32)
        self.scores = np.full((len(canvases), len(references)), -np.inf, np.float32)
        self.turns = np.zeros(len(canvases), np.int64)

    def add(self, turns: NDArray[np.int64]) -> None:
        """Compare a copy of every query, turned by its own turn [B], with every reference."""
        columns = self._canvases.shape[2]
        pairs = zip(self._canvases, turns, strict=True)
        copies = np.stack([roll_to_north(canvas, heading_of(int(turn), columns)) for canvas, turn in pairs])
        scores = self._encode(copies) @ self._references.T
        peaks = scores.max(axis=1)
        self.turns = np.where(peaks > self._peaks, turns, self.turns)
        np.maximum(self._peaks, peaks, out=self._peaks)
        np.maximum(self.scores, scores, out=self.scores)  # a NaN stays one, and counts as a rival
