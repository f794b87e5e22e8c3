"""Pairs a second of this project's training step, and of a plain loop around the same network.

The plain loop is written as public code does it: Pillow decodes and torchvision augments in the workers of a
DataLoader, the network computes in float32 on contiguous NCHW tensors. The variants take turns, on the same pictures,
each with fresh workers whose first batches are not counted.

    python -m benchmarks.bench_step
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.record import write_record
from model.data.augment_spec import AugmentSpec
from model.data.image_cache import ensure_decoded
from model.data.loaders import TrainingPairs, training_loader
from model.data.manifest import read_manifest
from model.data.pairs import PairSet
from model.data.pictures import PictureFiles
from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet
from model.training.config import DataSpec, OptimSpec, RunSpec
from model.training.loss import symmetric_info_nce
from model.training.trainer import Trainer

_PREFETCH = 4
_TILE_PX, _PANORAMA_PX = (640, 640), (1664, 832)
"""Sizes of the pictures on disk, as public benchmarks have them: width, height."""


def main() -> None:
    """Measure, print a table, write `results/step.json`."""
    args = _arguments()
    inputs = InputSpec(args.satellite_px, args.satellite_px // 2, 2 * args.satellite_px, None)
    optim = OptimSpec(batch=args.batch, warmup_steps=1)
    data = DataSpec("bench", "bench", AugmentSpec(blur=0.15, erase=0.3), workers=args.workers)
    run = RunSpec("bench", inputs=inputs, data=data, optim=optim)
    with tempfile.TemporaryDirectory() as folder:
        pairs = read_manifest(_draw_pairs(Path(folder), args.pairs))
        variants: dict[str, Callable[[], Iterator[object]]] = {
            "plain loop": lambda: plain(run, pairs),
            "ours": lambda: ours(run, pairs, None),
            "ours, decoded before": lambda: ours(run, pairs, Path(folder) / "decoded"),
        }
        paces: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(args.rounds):
            for name, make in variants.items():
                paces[name].append(args.batch / seconds_a_step(make(), args.steps, args.workers))
    rates = {name: statistics.median(times) for name, times in paces.items()}
    result = {
        "settings": {name: value for name, value in vars(args).items() if name != "record"},
        "pairs_per_s": {name: round(rate, 2) for name, rate in rates.items()},
        "ratio_to_plain": {name: round(rate / rates["plain loop"], 2) for name, rate in rates.items()},
    }
    for name, rate in rates.items():
        print(f"{name:24} {rate:8.2f} pairs/s {rate / rates['plain loop']:6.2f} x")
    if args.record:
        print(write_record("step", result))


def seconds_a_step(steps: Iterator[object], wanted: int, workers: int) -> float:
    """Of `wanted` steps, after those that the workers had ready."""
    for _ in range(_PREFETCH * workers + 1):
        next(steps)
    started = time.perf_counter()
    for _ in range(wanted):
        next(steps)
    return (time.perf_counter() - started) / wanted


def ours(run: RunSpec, pairs: PairSet, cache: Path | None) -> Iterator[object]:
    """Endless steps of the trainer."""
    pictures = ensure_decoded(pairs, run.inputs, cache, workers=2) if cache else PictureFiles(pairs, run.inputs)
    dataset = TrainingPairs(pictures, pairs.positives, run.inputs, seed=0, augment=run.data.augment)
    loader = training_loader(dataset, _endless(len(pairs.queries), run.optim.batch), workers=run.data.workers)
    trainer = Trainer(run, device=torch.device("cpu"))
    return (trainer.advance(ground, satellite) for ground, satellite in loader)


def plain(run: RunSpec, pairs: PairSet) -> Iterator[object]:
    """Endless steps of a loop without this project's trainer, loader or precision."""
    net = CLNet(run.model, run.inputs).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    batches = _endless(len(pairs.queries), run.optim.batch)
    workers: dict[str, Any] = {"multiprocessing_context": "spawn", "prefetch_factor": _PREFETCH}
    options = workers if run.data.workers else {}
    dataset = PlainPairs(pairs, run.inputs)
    loader = DataLoader(dataset, batch_sampler=_Endless(batches), num_workers=run.data.workers, **options)
    return (_plain_step(net, optimizer, ground, satellite) for ground, satellite in loader)


def _plain_step(net: CLNet, optimizer: torch.optim.Optimizer, ground: Tensor, satellite: Tensor) -> float:
    loss = symmetric_info_nce(net(ground, "ground"), net(satellite, "satellite"), net.logit_scale)
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return loss.item()


class PlainPairs(Dataset[tuple[Tensor, Tensor]]):
    """Pairs as public code reads them: both views float32 [3, H, W]."""

    def __init__(self, pairs: PairSet, inputs: InputSpec) -> None:
        """Make the transforms of both views."""
        self.pairs = pairs
        self.ground, self.satellite = (_plain_transform(inputs, size) for size in _sizes(inputs))

    def __len__(self) -> int:
        return len(self.pairs.queries)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        tile = self.pairs.references[int(self.pairs.positives[row])]
        pictures = [Image.open(one.path).convert("RGB") for one in (self.pairs.queries[row], tile)]
        ground, satellite = self.ground(pictures[0]), self.satellite(pictures[1])
        if torch.rand(1) < 0.5:
            ground, satellite = ground.flip(2), satellite.flip(2)
        quarters = int(torch.randint(4, (1,)))
        return ground.roll(-quarters * ground.shape[2] // 4, 2), satellite.rot90(quarters, (1, 2))


def _plain_transform(inputs: InputSpec, size_px: tuple[int, int]) -> Callable[[Image.Image], Tensor]:
    made: Callable[[Image.Image], Tensor] = transforms.Compose(
        [
            transforms.Resize(size_px[::-1]),
            transforms.RandomApply([transforms.ColorJitter(0.15, 0.15, 0.15, 0.15)], 0.5),
            transforms.RandomApply([transforms.GaussianBlur(3)], 0.15),
            transforms.ToTensor(),
            transforms.Normalize(inputs.mean, inputs.std),
            transforms.RandomErasing(0.3, (0.02, 0.15)),
        ]
    )
    return made


class _Endless(torch.utils.data.Sampler[list[int]]):
    def __init__(self, batches: Iterator[list[int]]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[list[int]]:
        return self.batches


def _endless(pairs: int, batch: int) -> Iterator[list[int]]:
    rows = chain.from_iterable(repeat(range(pairs)))
    return ([next(rows) for _ in range(batch)] for _ in count())


def _sizes(inputs: InputSpec) -> tuple[tuple[int, int], tuple[int, int]]:
    return inputs.ground_size_px, inputs.satellite_size_px


def _draw_pairs(folder: Path, number: int) -> Path:
    """Smooth random pictures as JPEG files, and their manifest."""
    random = np.random.default_rng(0)
    lines = ["query,reference"]
    for row in range(number):
        for name, size_px in (("ground", _PANORAMA_PX), ("tile", _TILE_PX)):
            coarse = Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8))
            coarse.resize(size_px, Image.Resampling.BICUBIC).save(folder / f"{name}{row}.jpg", quality=90)
        lines.append(f"ground{row}.jpg,tile{row}.jpg")
    path = folder / "pairs.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--batch", type=int, default=32, help="pairs in a step (default 32)")
    parser.add_argument("--pairs", type=int, default=256, help="pairs on disk (default 256)")
    parser.add_argument("--satellite-px", type=int, default=128, help="side of the tile input (default 128)")
    parser.add_argument("--steps", type=int, default=10, help="steps of a turn that are counted (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each variant takes (default 3)")
    parser.add_argument("--workers", type=int, default=2, help="processes that decode and augment (default 2)")
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True,
                        help="write results/step.json (default: yes)")  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
