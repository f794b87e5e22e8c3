"""Who changes the pairs of a batch: the workers that read them, or the device that learns from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.data.augment import wide_inputs
from model.data.image_cache import DecodedPictures
from model.data.loaders import TrainingDraws, TrainingPairs
from model.data.pairs import PairSet
from model.data.pictures import Pictures
from model.data.replay import JoinedPictures
from model.training.changed_on_device import DevicePictures, JoinedOnDevice
from model.training.config import RunSpec

__all__ = ["changed_pairs"]


def changed_pairs(
    run: RunSpec,
    sets: Sequence[PairSet],
    pictures: Sequence[Pictures],
    positives: NDArray[np.int64],
    device: torch.device,
) -> tuple[TrainingPairs | TrainingDraws, Callable[..., tuple[Tensor, Tensor]]]:
    """What the loader reads, and what makes pictures of a batch of it: nothing where the workers have made them.

    Args:
        run: the configuration.
        sets: the pairs to learn, and those to replay where there are any.
        pictures: of each.
        positives: int64 [Q], rows of all queries' tiles, counted through the sets.
        device: that trains.
    """
    seed, augment, inputs = run.optim.seed, run.data.augment, run.inputs
    if run.data.augment_on == "device":
        decoded = [one for one in pictures if isinstance(one, DecodedPictures)]
        held = JoinedOnDevice([DevicePictures(one, inputs, device) for one in decoded])
        sides_px = [side for one in decoded for side in one.sides_px]
        rows = wide_inputs(inputs, augment).ground_height_px
        return TrainingDraws(sides_px, positives, inputs, rows=rows, seed=seed, augment=augment), held.changed
    joined = pictures[0]
    if len(sets) > 1:
        joined = JoinedPictures(pictures[0], pictures[1], len(sets[0].queries), len(sets[0].references))
    return TrainingPairs(joined, positives, inputs, seed=seed, augment=augment), lambda ground, tiles: (ground, tiles)
