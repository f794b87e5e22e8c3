"""From paths to batches: decoding in worker processes, draws that depend on (seed, epoch, index) alone.

Because no hidden random state is carried along, a run that is resumed at any step draws what it would have drawn.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from model.common.errors import GeoLocalizationError
from model.common.images import decode_image
from model.data.augment import AugmentSpec, augment_pair
from model.data.pairs import PairSet, Query, Reference
from model.inputs.transforms import InputSpec, lay_panorama, resize_tile

__all__ = [
    "PictureFiles",
    "Pictures",
    "TrainingPairs",
    "lay_query",
    "load_query",
    "load_reference",
    "load_wide_reference",
    "loads_of",
    "margin_px",
    "open_query",
    "plain_errors",
    "training_loader",
    "view_loader",
]

_Pixels = NDArray[np.uint8]
Item = TypeVar("Item")


def load_query(query: Query, inputs: InputSpec) -> _Pixels:
    """A query's picture on the encoder's canvas, uint8 [H, W, 3]."""
    return lay_query(open_query(query, inputs), query, inputs)


def open_query(query: Query, inputs: InputSpec) -> Image.Image:
    """A query's picture, no smaller than its canvas if the file is not."""
    return decode_image(query.path, at_least_px=inputs.ground_decode_px)


def lay_query(picture: Image.Image, query: Query, inputs: InputSpec) -> _Pixels:
    """A query's opened picture on the encoder's canvas, uint8 [H, W, 3]."""
    return lay_panorama(
        picture, inputs, heading_deg=query.heading_deg, fov_deg=query.fov_deg, vertical_deg=query.vertical_deg
    )


def load_reference(reference: Reference, inputs: InputSpec) -> _Pixels:
    """A tile at the encoder's size and without its margin, uint8 [H, W, 3]."""
    return _load_tile(reference, inputs, keep_px=0)


def load_wide_reference(reference: Reference, inputs: InputSpec) -> _Pixels:
    """A tile with its margin, uint8 [H, W, 3]; its middle is the tile at the encoder's size."""
    return _load_tile(reference, inputs, keep_px=margin_px(reference, inputs))


def loads_of(pairs: PairSet) -> tuple[Callable[[Query, InputSpec], _Pixels], Callable[[Reference, InputSpec], _Pixels]]:
    """How the queries and how the references of a data set are read: for the side of the encoder of each."""
    return (
        load_query if pairs.query_view == "ground" else _load_query_tile,
        load_reference if pairs.reference_view == "satellite" else _load_reference_canvas,
    )


def _load_query_tile(query: Query, inputs: InputSpec) -> _Pixels:
    return load_reference(Reference(query.path), inputs)


def _load_reference_canvas(reference: Reference, inputs: InputSpec) -> _Pixels:
    return load_query(Query(reference.path), inputs)


def margin_px(reference: Reference, inputs: InputSpec) -> int:
    """Whole pixels of margin on every side of a tile at the encoder's size."""
    return int(inputs.satellite_px * reference.margin)


def _load_tile(reference: Reference, inputs: InputSpec, *, keep_px: int) -> _Pixels:
    side_px = math.ceil(inputs.satellite_px * (1.0 + 2.0 * reference.margin))
    picture = decode_image(reference.path, at_least_px=(side_px, side_px) if inputs.antialias else None)
    return resize_tile(picture, inputs, margin=reference.margin, keep_px=keep_px)


class Pictures(Protocol):
    """Where training takes its pictures from: decoded on demand, or decoded before (`model.data.image_cache`)."""

    def query(self, row: int) -> _Pixels:
        """A query's canvas, uint8 [H, W, 3]."""

    def reference(self, row: int) -> _Pixels:
        """A tile with its margin, uint8 [S, S, 3]."""


@dataclass(frozen=True)
class PictureFiles:
    """Pictures decoded each time they are asked for."""

    pairs: PairSet
    inputs: InputSpec

    def query(self, row: int) -> _Pixels:
        """A query's canvas, uint8 [H, W, 3]."""
        return load_query(self.pairs.queries[row], self.inputs)

    def reference(self, row: int) -> _Pixels:
        """A tile with its margin, uint8 [S, S, 3]."""
        return load_wide_reference(self.pairs.references[row], self.inputs)


class TrainingPairs(Dataset[tuple[_Pixels, _Pixels]]):
    """Augmented pairs; item `draw` is pair `draw % len` as epoch `draw // len` sees it."""

    def __init__(
        self, pictures: Pictures, positives: NDArray[np.int64], inputs: InputSpec, *, seed: int, augment: AugmentSpec
    ) -> None:
        """`positives` int64 [Q] are the rows of the queries' tiles."""
        self.pictures, self.positives, self.inputs = pictures, positives, inputs
        self.seed, self.augment = seed, augment

    def __len__(self) -> int:
        return len(self.positives)

    def __getitem__(self, draw: int) -> tuple[_Pixels, _Pixels]:
        epoch, index = divmod(draw, len(self))
        panorama, tile = self.pictures.query(index), self.pictures.reference(int(self.positives[index]))
        random = np.random.default_rng((self.seed, draw))
        return augment_pair(panorama, tile, self.inputs, self.augment.in_epoch(epoch), random)


def training_loader(dataset: TrainingPairs, batches: Iterator[list[int]], *, workers: int) -> DataLoader[Any]:
    """Batches of (ground, satellite) uint8 tensors [B, H, W, 3]."""
    return DataLoader(
        dataset, batch_sampler=_Batches(batches), num_workers=workers, collate_fn=_stack_pairs, **_options(workers)
    )


def plain_errors(batches: Iterable[Any]) -> Iterator[Any]:
    """Pass batches on; turn a worker's error, which carries a whole traceback, back into its own message."""
    try:
        yield from batches
    except (GeoLocalizationError, OSError) as error:
        name, text = type(error).__name__, str(error.args[0] if error.args else error)  # str() is cut, and one line
        if not text.startswith(f"Caught {name} in DataLoader worker"):
            raise
        home = type(error).__module__
        full = name if home == "builtins" else f"{home}.{name}"  # as the last line of a traceback has it
        own = re.split(rf"^{re.escape(full)}: ", text, flags=re.MULTILINE)[-1]
        raise type(error)(own.strip()) from None


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
