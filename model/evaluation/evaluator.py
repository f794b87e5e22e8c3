"""Evaluation with an encoder: embed the gallery once, ask every query by a protocol, and score or store what comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadConfig
from model.common.progress import progress
from model.data.pairs import PairSet
from model.data.pictures import loads_of, view_batches
from model.evaluation.embeddings import write_embeddings
from model.evaluation.ground_truth import GroundTruth
from model.evaluation.metrics import Scoring
from model.evaluation.protocol import QueryProtocol, QueryView
from model.evaluation.ranking import EmbeddedQueries, best_over_copies, queries_at_once, rank_queries
from model.evaluation.results import Evaluation
from model.inputs.heading_search import heading_of, sweep_turns, turns_tried
from model.inputs.specs import View
from model.inputs.transforms import InputSpec

__all__ = ["DualEncoder", "Encode", "embed", "embed_gallery", "evaluate", "store"]

Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_AS_IT_IS = QueryProtocol()
_STRICTLY = Scoring()


@dataclass(frozen=True)
class DualEncoder:
    """The two encoders of an encoder.

    Attributes:
        encode_ground: canvases uint8 [B, H, W, 3] -> unit vectors float32 [B, dim].
        encode_satellite: tiles, likewise; [B, A * dim] where each is described around A anchors.
        inputs: sizes of the pictures.
        dim: length of the vectors.
        at_once: canvases -> float32 [B, T, dim], all headings of `swept_turns`; None where the network cannot.
    """

    encode_ground: Encode
    encode_satellite: Encode
    inputs: InputSpec
    dim: int
    at_once: Encode | None = None

    @property
    def sweeps(self) -> bool:
        """Whether all headings are computed at once."""
        return self.at_once is not None

    def encode_headings(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Canvases uint8 [B, H, W, 3] at all headings, if the network can."""
        assert self.at_once is not None
        return self.at_once(pixels)

    def encode(self, view: View) -> Encode:
        """The side that reads a view."""
        return self.encode_ground if view == "ground" else self.encode_satellite


def embed(
    encode: Encode, batches: Iterable[NDArray[np.uint8]], count: int, dim: int, label: str
) -> NDArray[np.float32]:
    """All vectors [count, dim] of one view, in the order of its batches."""
    return _filled(_embed_batches(encode, batches, count, label), count, dim)


def evaluate(
    encoders: DualEncoder,
    pairs: PairSet,
    *,
    protocol: QueryProtocol = _AS_IT_IS,
    scoring: Scoring = _STRICTLY,
    batch: int = 64,
    workers: int = 0,
    references: NDArray[np.float32] | None = None,
) -> Evaluation:
    """Recall of a pair of encoders on a data set.

    Memory is that of the gallery's vectors and a few blocks of scores, however many queries and copies.

    Args:
        encoders: the encoders.
        pairs: the data set.
        protocol: which queries are asked, and how.
        scoring: how ranks are counted.
        batch: pictures encoded at once.
        workers: threads that decode ahead.
        references: what `embed_gallery` gave, where it is at hand.

    Raises:
        BadConfig: the protocol does not fit the data set, or a radius needs coordinates that are not known.
    """
    _refuse_protocol(encoders, pairs, protocol)
    if references is None:
        references = embed_gallery(encoders, pairs, batch=batch, workers=workers)
    truth, blocks = GroundTruth.of(pairs), _ask(encoders, pairs, protocol, batch, workers, references)
    query_results = rank_queries(blocks, references, truth, scoring)
    return Evaluation.of(query_results, truth, scoring, _reported(encoders, pairs, protocol))


def embed_gallery(encoders: DualEncoder, pairs: PairSet, *, batch: int = 64, workers: int = 0) -> NDArray[np.float32]:
    """Vectors of all references of a data set, [R, A * dim], in order."""
    gallery = _embed_gallery(encoders, pairs, batch, workers)
    return _filled(gallery, len(pairs.references), encoders.dim * encoders.inputs.anchors**2)


def store(
    encoders: DualEncoder,
    pairs: PairSet,
    folder: Path,
    checkpoint: Mapping[str, Any],
    *,
    protocol: QueryProtocol = _AS_IT_IS,
    precision: str = "float32",
    batch: int = 64,
    workers: int = 0,
) -> None:
    """Embed a data set into a new folder, for `open_embeddings`.

    Args:
        encoders: the encoders.
        pairs: the data set.
        folder: to be made.
        checkpoint: what to remember of the encoder: `name`, `digest` and `trained_on`.
        protocol: which queries are asked, and how.
        precision: `float32` or `float16`.
        batch: pictures encoded at once.
        workers: threads that decode ahead.

    Raises:
        BadConfig: the protocol does not fit the data set.
        OutputExists: the folder is there already.
    """
    _refuse_protocol(encoders, pairs, protocol)
    about = {"checkpoint": checkpoint, "asked": _reported(encoders, pairs, protocol)}
    gallery = _embed_gallery(encoders, pairs, batch, workers)
    ask = partial(_ask, encoders, pairs, protocol, batch, workers)
    write_embeddings(folder, about, GroundTruth.of(pairs), gallery, ask, precision=precision)


def _refuse_protocol(encoders: DualEncoder, pairs: PairSet, protocol: QueryProtocol) -> None:
    if pairs.query_view != "ground" and encoders.inputs.anchors > 1:
        raise BadConfig(
            f"the queries of {pairs.name} are tiles, which this checkpoint describes around "
            f"{encoders.inputs.anchors**2} anchors each; evaluate the other direction, or a checkpoint with "
            "inputs.anchors 1"
        )
    if pairs.query_view != "ground" and (protocol.searches or protocol.fov_deg < 360):
        raise BadConfig(f"the queries of {pairs.name} are tiles; leave the field of view whole and the heading known")


def _reported(encoders: DualEncoder, pairs: PairSet, protocol: QueryProtocol) -> dict[str, Any]:
    columns = encoders.inputs.ground_width_px
    tried = turns_tried(columns, count=protocol.headings, sweeps=encoders.sweeps) if protocol.searches else [1, 0]
    asked = protocol.as_json(total=len(pairs.queries), copies=tried)
    return {**asked, "anchors": encoders.inputs.anchors**2}


def _embed_gallery(encoders: DualEncoder, pairs: PairSet, batch: int, workers: int) -> Iterator[NDArray[np.float32]]:
    """Vectors [B, D] of all references, in order."""
    _, load = loads_of(pairs)
    tiles = view_batches(pairs.references, load, encoders.inputs, batch=batch, workers=workers)
    return _embed_batches(encoders.encode(pairs.reference_view), tiles, len(pairs.references), "embedding the gallery")


def _embed_batches(
    encode: Encode, batches: Iterable[NDArray[np.uint8]], count: int, label: str
) -> Iterator[NDArray[np.float32]]:
    with progress(count, label, unit="pictures") as bar:
        for pixels in batches:
            yield encode(pixels)
            bar.update(len(pixels))


def _filled(batches: Iterable[NDArray[np.float32]], count: int, dim: int) -> NDArray[np.float32]:
    vectors = np.empty((count, dim), np.float32)
    done = 0
    for batch in batches:
        vectors[done : done + len(batch)] = batch
        done += len(batch)
    return vectors


def _ask(
    encoders: DualEncoder,
    pairs: PairSet,
    protocol: QueryProtocol,
    batch: int,
    workers: int,
    references: NDArray[np.floating[Any]],
) -> Iterator[EmbeddedQueries]:
    """Embed the queries that the protocol chooses, block by block."""
    numbers = protocol.chosen(len(pairs.queries))
    block = min(batch, queries_at_once(len(references)))
    chosen = [pairs.queries[number] for number in numbers]
    load, _ = loads_of(pairs)
    canvases = view_batches(chosen, load, encoders.inputs, batch=block, workers=workers)
    with progress(len(numbers), "asking", unit="queries") as bar:
        parts = np.split(numbers, range(block, len(numbers), block))
        for pixels, part in zip(canvases, parts, strict=True):
            asked = [
                protocol.ask(canvas, pairs.queries[number], int(number))
                for canvas, number in zip(pixels, part, strict=True)
            ]
            yield _embed_asked(encoders, pairs.query_view, asked, part, references, protocol)
            bar.update(len(part))


def _embed_asked(
    encoders: DualEncoder,
    view: View,
    asked: list[QueryView],
    numbers: NDArray[np.int64],
    references: NDArray[np.floating[Any]],
    protocol: QueryProtocol,
) -> EmbeddedQueries:
    """Embed each query; where its heading is searched, at every heading to be tried."""
    canvases = np.stack([query.canvas for query in asked])
    columns = canvases.shape[2]
    tried: list[NDArray[np.int64]] = []
    parts: list[NDArray[np.float32]] = []

    def compare(turns: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.floating[Any]] | None:
        tried.append(turns)
        parts.append(vectors)
        return None if len(parts) > 1 else best_over_copies(vectors, references)[1]

    if protocol.searches:
        sweep_turns(canvases, encoders, compare, count=protocol.headings)
    else:
        compare(np.zeros((len(canvases), 1), np.int64), encoders.encode(view)(canvases)[:, np.newaxis])
    turns, vectors = np.concatenate(tried, axis=1), np.concatenate(parts, axis=1)
    return EmbeddedQueries(
        numbers,
        vectors,
        turns * 360.0 / columns,
        np.array([query.view_deg for query in asked]),
        np.array([heading_of(query.turn, columns) for query in asked]),
    )
