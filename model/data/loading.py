"""From paths to batches: decoding in worker processes, draws that depend on (seed, epoch, index) alone.

Because no hidden random state is carried along, a run that is resumed at any step draws what it would have drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from model.data.augment import augment_pair
from model.data.pairs import PairSet, Query, Reference
from model.errors import GeoLocalizationError
from model.images import decode_image
from model.transforms import InputSpec, lay_panorama, resize_tile

__all__ = [
    "TrainingPairs",
    "epoch_batches",
    "load_query",
    "load_reference",
    "load_wide_reference",
    "margin_px",
    "plain_errors",
    "training_loader",
    "view_loader",
]

_Pixels = NDArray[np.uint8]
Item = TypeVar("Item")


def load_query(query: Query, inputs: InputSpec) -> _Pixels:
    """A query's picture on the encoder's canvas, uint8 [H, W, 3]."""
    picture = decode_image(query.path, at_least_px=inputs.ground_decode_px)
    return lay_panorama(
        picture, inputs, heading_deg=query.heading_deg, fov_deg=query.fov_deg, vertical_deg=query.vertical_deg
    )


def load_reference(reference: Reference, inputs: InputSpec) -> _Pixels:
    """A tile at the encoder's size and without its margin, uint8 [H, W, 3]."""
    return _load_tile(reference, inputs, keep_px=0)


def load_wide_reference(reference: Reference, inputs: InputSpec) -> _Pixels:
    """A tile with its margin, uint8 [H, W, 3]; its middle is the tile at the encoder's size."""
    return _load_tile(reference, inputs, keep_px=margin_px(reference, inputs))


def margin_px(reference: Reference, inputs: InputSpec) -> int:
    """Whole pixels of margin on every side of a tile at the encoder's size."""
    return int(inputs.satellite_px * reference.margin)


def _load_tile(reference: Reference, inputs: InputSpec, *, keep_px: int) -> _Pixels:
    side_px = math.ceil(inputs.satellite_px * (1.0 + 2.0 * reference.margin))
    picture = decode_image(reference.path, at_least_px=(side_px, side_px))
    return resize_tile(picture, inputs, margin=reference.margin, keep_px=keep_px)


class TrainingPairs(Dataset[tuple[_Pixels, _Pixels]]):
    """Augmented pairs; item `draw` is pair `draw % len` as epoch `draw // len` sees it."""

    def __init__(self, pairs: PairSet, inputs: InputSpec, *, seed: int, augment: bool) -> None:
        """Pictures are read on demand."""
        self.pairs, self.inputs, self.seed, self.augment = pairs, inputs, seed, augment

    def __len__(self) -> int:
        return len(self.pairs.queries)

    def __getitem__(self, draw: int) -> tuple[_Pixels, _Pixels]:
        index = draw % len(self)
        panorama = load_query(self.pairs.queries[index], self.inputs)
        tile = load_reference(self.pairs.references[self.pairs.positives[index]], self.inputs)
        if not self.augment:
            return panorama, tile
        return augment_pair(panorama, tile, np.random.default_rng((self.seed, draw)))


def epoch_batches(positives: NDArray[np.int64], batch: int, *, seed: int, first: int, last: int) -> Iterator[list[int]]:
    """The draws of steps `first` to `last` (exclusive): every epoch a new order, its incomplete last batch dropped.

    No batch holds two queries of one tile: they would be each other's false negatives. So there must be as many
    different tiles as a batch has pairs.
    """
    done = epoch = 0
    while done < last:
        batches = _distinct_batches(positives, batch, np.random.default_rng((seed, epoch)))
        assert batches, f"no batch of {batch} different tiles can be made; this loop would never end"
        for chosen in batches[max(0, first - done) : last - done]:
            yield [epoch * len(positives) + int(index) for index in chosen]
        done += len(batches)
        epoch += 1


def _distinct_batches(positives: NDArray[np.int64], batch: int, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """A random order cut into batches; a query whose tile is in the batch already waits for the next one."""
    batches: list[NDArray[np.int64]] = []
    chosen: list[int] = []
    waiting = list(random.permutation(len(positives)))
    while waiting:
        tiles: set[int] = set()
        later: list[int] = []
        for position, index in enumerate(waiting):
            if len(chosen) == batch:
                later += waiting[position:]
                break
            if int(positives[index]) in tiles:
                later.append(index)
            else:
                tiles.add(int(positives[index]))
                chosen.append(index)
        if len(chosen) < batch:
            break
        batches.append(np.array(chosen, np.int64))
        chosen, waiting = [], later
    return batches


def training_loader(dataset: TrainingPairs, batches: Iterator[list[int]], *, workers: int) -> DataLoader[Any]:
    """Batches of (ground, satellite) uint8 tensors [B, H, W, 3]."""
    return DataLoader(
        dataset, batch_sampler=_Batches(batches), num_workers=workers, collate_fn=_stack_pairs, **_options(workers)
    )


def plain_errors(batches: Iterable[Any]) -> Iterator[Any]:
    """Pass batches on; turn a worker's error, which carries a whole traceback, back into its own one line."""
    try:
        yield from batches
    except GeoLocalizationError as error:
        text = str(error)
        if "Original Traceback" not in text:
            raise
        raise type(error)(text.strip().splitlines()[-1].partition(": ")[2]) from None


def view_loader(
    items: Sequence[Item], load: Callable[[Item, InputSpec], _Pixels], inputs: InputSpec, *, batch: int, workers: int
) -> DataLoader[Any]:
    """Batches of one view in order, uint8 tensors [B, H, W, 3]."""
    dataset = _Views(items, load, inputs)
    return DataLoader(dataset, batch_size=batch, num_workers=workers, collate_fn=_stack, **_options(workers))


class _Views(Dataset[_Pixels], Generic[Item]):
    def __init__(self, items: Sequence[Item], load: Callable[[Item, InputSpec], _Pixels], inputs: InputSpec) -> None:
        self.items, self.load, self.inputs = items, load, inputs

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> _Pixels:
        return self.load(self.items[index], self.inputs)


class _Batches(Sampler[list[int]]):
    """A batch sampler that passes on an iterator; it can be consumed once."""

    def __init__(self, batches: Iterator[list[int]]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[list[int]]:
        return self.batches


def _options(workers: int) -> dict[str, Any]:
    return {"multiprocessing_context": "spawn", "prefetch_factor": 4} if workers else {}


def _stack(pictures: list[_Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(pictures))


def _stack_pairs(pairs: list[tuple[_Pixels, _Pixels]]) -> tuple[Tensor, Tensor]:
    return _stack([ground for ground, _ in pairs]), _stack([tile for _, tile in pairs])
