"""From paths to batches of training: decoding in worker processes, draws that depend on (seed, epoch, index) alone.

Because no hidden random state is carried along, a run that is resumed at any step draws what it would have drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from model.common.errors import GeoLocalizationError
from model.data.augment import augment_pair
from model.data.augment_spec import AugmentSpec
from model.data.changes import PairChange, draw_change
from model.data.pictures import Pictures
from model.inputs.transforms import InputSpec

__all__ = ["TrainingDraws", "TrainingPairs", "plain_errors", "training_loader"]

_Pixels = NDArray[np.uint8]


class TrainingPairs(Dataset[tuple[_Pixels, _Pixels]]):
    """Augmented pairs; item `draw` is pair `draw % len` as epoch `draw // len` sees it.

    A pair is a panorama with its turned copies, [1 + turned, H, W, 3], and a tile [H, W, 3].
    """

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


class TrainingDraws(Dataset[tuple[int, int, PairChange]]):
    """What `TrainingPairs` does to its pairs, for a device that does it; the same draws give the same numbers.

    An item is the row of a query, that of its tile, and the change.
    """

    def __init__(
        self,
        sides_px: Sequence[int],
        positives: NDArray[np.int64],
        inputs: InputSpec,
        *,
        rows: int,
        seed: int,
        augment: AugmentSpec,
    ) -> None:
        """`sides_px` of all tiles with their margins, `rows` of every canvas; `positives` as for `TrainingPairs`."""
        self.sides_px, self.positives, self.inputs, self.rows = sides_px, positives, inputs, rows
        self.seed, self.augment = seed, augment

    def __len__(self) -> int:
        return len(self.positives)

    def __getitem__(self, draw: int) -> tuple[int, int, PairChange]:
        epoch, index = divmod(draw, len(self))
        tile = int(self.positives[index])
        random = np.random.default_rng((self.seed, draw))
        return (
            index,
            tile,
            draw_change(self.rows, self.sides_px[tile], self.inputs, self.augment.in_epoch(epoch), random),
        )


def training_loader(
    dataset: TrainingPairs | TrainingDraws, batches: Iterator[list[int]], *, workers: int, pinned: bool = False
) -> DataLoader[Any]:
    """Batches of (ground, satellite) uint8 tensors, or of draws; pinned ones a GPU can fetch while it computes.

    Tiles are [B, H, W, 3], panoramas [B * (1 + turned), H, W, 3]: each is followed by its turned copies.
    """
    return DataLoader(
        dataset,
        batch_sampler=_Batches(batches),
        num_workers=workers,
        collate_fn=_stack_pairs if isinstance(dataset, TrainingPairs) else default_collate,
        pin_memory=pinned,
        **_options(workers),
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


class _Batches(Sampler[list[int]]):
    """A batch sampler that passes on an iterator; it can be consumed once."""

    def __init__(self, batches: Iterator[list[int]]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[list[int]]:
        return self.batches


def _options(workers: int) -> dict[str, Any]:
    return {"multiprocessing_context": "spawn", "prefetch_factor": 4} if workers else {}


def _stack_pairs(pairs: list[tuple[_Pixels, _Pixels]]) -> tuple[Tensor, Tensor]:
    grounds = torch.from_numpy(np.concatenate([ground for ground, _ in pairs]))
    return grounds, torch.from_numpy(np.stack([tile for _, tile in pairs]))
