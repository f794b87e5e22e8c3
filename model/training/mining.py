"""Hard negatives by similarity: the pairs whose tiles a network finds most like each query."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from model.data.augment import crop_canvas, crop_tile
from model.data.hard_negatives import nearest_vectors
from model.data.pairs import PairSet
from model.data.pictures import Pictures, view_batches
from model.evaluation.evaluator import Encode, embed
from model.inputs.specs import View
from model.inputs.transforms import InputSpec

__all__ = ["mine_similar"]

_BATCH = 128
"""Pictures encoded at once."""

_Pixels = NDArray[np.uint8]


def mine_similar(
    encode: Mapping[View, Encode],
    pairs: PairSet,
    pictures: Pictures,
    inputs: InputSpec,
    dim: int,
    count: int,
    *,
    device: torch.device | None = None,
) -> NDArray[np.int32]:
    """The pairs whose tiles are most like each query.

    Args:
        encode: the network, by view; tiles are described around their centre alone.
        pairs: the training pairs.
        pictures: of them.
        inputs: sizes of the pictures.
        dim: length of the vectors.
        count: how many to find for each query.
        device: where vectors are compared; the CPU unless given.

    Returns:
        int32 [Q, min(count, Q - 1)] numbers of pairs, the most similar first.
    """

    def tile(row: int, wanted: InputSpec) -> _Pixels:
        return crop_tile(pictures.reference(int(pairs.positives[row])), wanted.satellite_px)

    def vectors(view: View, load: Callable[[int, InputSpec], _Pixels]) -> NDArray[np.float32]:
        rows = range(len(pairs.queries))
        batches = view_batches(rows, load, inputs, batch=_BATCH, workers=0)
        return embed(encode[view], batches, len(rows), dim, f"mining: {view}")

    ground = vectors("ground", lambda row, wanted: crop_canvas(pictures.query(row), wanted))
    return nearest_vectors(ground, vectors("satellite", tile), count, device=device)
