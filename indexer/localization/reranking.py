"""The best candidates looked at again: around points between and beside the anchors that the index holds.

Each candidate's tile is read from its source, and described around the eight points half a step from the anchor that
matches best. Its score is the best of the nine, and the camera is taken to stand at their mean, weighted by how well
they match. An index of twice the density along each axis would hold four times the vectors; this costs nothing until
it is asked for, and then eight embeddings for each candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from indexer.common.encoders import TileEncoder
from indexer.common.errors import BadQuery, BadSource
from indexer.index.searchable import SearchableIndex
from model.inputs.anchors import REACH, anchor_px, recentre
from model.inputs.heading_search import Hit
from model.inputs.transforms import resize_tile

__all__ = ["Reranker"]

_AROUND = [(east, south) for south, east in product((-1, 0, 1), repeat=2) if east or south]
_BATCH = 64
_TEMPERATURE = 0.02
"""Score difference that makes a point count e times less; the best of those tried by `benchmarks.bench_rerank`."""

_Pixels = NDArray[np.uint8]
_Floats = NDArray[np.float32]


class Reranker:
    """Looks at the first candidates of a search again.

    Example:
        >>> Reranker.open(index, checkpoint="demo", candidates=50)  # doctest: +SKIP

    Attributes:
        candidates: how many of the best tiles are looked at.
    """

    def __init__(self, index: SearchableIndex, encoder: TileEncoder, *, candidates: int) -> None:
        """Check that there is something to look at.

        Args:
            index: what was searched; its tiles must still be on disk.
            encoder: the one that built it, with a single anchor a tile.
            candidates: how many of the best tiles are looked at, at least one.

        Raises:
            IndexMismatch: the index was built by another encoder.
            BadQuery: no candidates, an encoder of several anchors, or an index of a single one.
            BadSource: the tiles are no longer where the index was built from.
        """
        index.require_encoder(encoder)
        if candidates < 1 or encoder.inputs.anchors != 1:
            raise BadQuery(
                f"{candidates} candidates and {encoder.inputs.anchors} anchors along an axis; give at least one "
                "candidate, and an encoder of one anchor"
            )
        if index.anchors == 1:
            raise BadQuery(
                f"index {index.name} has one vector a tile, so there is nothing between its anchors to look at; build "
                "it with a checkpoint of several anchors, or leave --rerank out"
            )
        if not index.has_pictures:
            raise BadSource(
                f"the tiles of index {index.name} are not where it was built from any more, and looking again needs "
                "their pictures; put them back, or leave --rerank out"
            )
        self.candidates = candidates
        self._index = index
        self._encoder = encoder
        self._step = REACH / round(index.anchors**0.5)

    @classmethod
    def open(
        cls, index: SearchableIndex, *, checkpoint: str, device: str = "auto", engine: str = "auto", candidates: int
    ) -> Reranker | None:
        """Load an encoder for it; None for no candidates.

        Args:
            index: what is searched.
            checkpoint: bundle folder, or the name of a packaged one.
            device: auto, cpu, cuda, cuda:N or mps.
            engine: auto, onnxruntime, openvino or torch.
            candidates: how many of the best tiles are looked at.

        Raises:
            GeoLocalizationError: as the constructor.
        """
        if not candidates:
            return None
        from model.network.encoder import Encoder

        return cls(index, Encoder.load(checkpoint, device=device, engine=engine, anchors=1), candidates=candidates)

    def refine(self, hits: Sequence[Hit], vectors: _Floats) -> tuple[list[Hit], int]:
        """Rank again.

        Args:
            hits: best first.
            vectors: float32 [K, D] of the photo, each as it is laid for one of the K first hits.

        Returns:
            As many, best first, with scores that are never below those before, and how many tiles keep what they had
            because they cannot be read any more.
        """
        first = hits[: self.candidates]
        read = [(at, pixels) for at, hit in enumerate(first) if (pixels := self._pixels(hit)) is not None]
        finer = list(first)
        if read:
            described = self._describe([first[at] for at, _ in read], np.stack([pixels for _, pixels in read]))
            scores = np.einsum("kpd,kd->kp", described, vectors[[at for at, _ in read]])
            for (at, _), row in zip(read, scores, strict=True):
                finer[at] = self._better(first[at], row)
        ranked = [*sorted(finer, key=lambda hit: (-hit.score, hit.row)), *hits[self.candidates :]]
        return ranked, len(first) - len(read)

    def _better(self, hit: Hit, scores: _Floats) -> Hit:
        best = max(float(scores.max()), hit.score)
        weights = np.exp((np.append(scores, hit.score) - best) / _TEMPERATURE)
        east, south = self._step * weights @ np.array([*_AROUND, (0, 0)]) / weights.sum()
        return replace(hit, score=best, shift=(float(east), float(south)))

    def _describe(self, hits: Sequence[Hit], tiles: _Pixels) -> _Floats:
        """[K, 8, D]: tiles [K, S, S, 3] around the points beside the anchors that match them."""
        side = tiles.shape[1]
        moved = np.empty((len(hits), len(_AROUND), *tiles.shape[1:]), np.uint8)
        for at, hit in enumerate(hits):
            anchor = self._index.anchor_points[hit.anchor]
            for number, (east, south) in enumerate(_AROUND):
                point = (anchor[0] + east * self._step, anchor[1] + south * self._step)
                moved[at, number] = recentre(tiles[at], *anchor_px(point, side))
        flat = moved.reshape(-1, *tiles.shape[1:])
        parts = [self._encoder.encode_satellite(flat[at : at + _BATCH]) for at in range(0, len(flat), _BATCH)]
        vectors: _Floats = np.concatenate(parts).reshape(len(hits), len(_AROUND), -1)
        return vectors

    def _pixels(self, hit: Hit) -> _Pixels | None:
        """A tile as the encoder wants it; None where it cannot be read any more."""
        inputs = self._encoder.inputs
        at_least_px = inputs.satellite_size_px if inputs.antialias else None
        picture = self._index.picture(hit.row, at_least_px=at_least_px)
        return None if picture is None else resize_tile(picture, inputs)
