"""Pairs a second of a training step in each precision and memory layout, and of the world's renderer.

The variants take turns, so that a machine whose speed drifts slows all of them; medians and their ratios are printed.

    python -m benchmarks.bench_train
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import torch

from benchmarks.record import turns, write_record
from model.common.devices import autocast
from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet, CLNetSpec
from model.network.forward import normalise
from model.synthetic.appearance import Difficulty, draw_appearance
from model.synthetic.ground import Window
from model.synthetic.panorama import Camera, render_panorama
from model.synthetic.terrain import paint_ground
from model.synthetic.tile import render_tile
from model.training.loss import symmetric_info_nce


def main() -> None:
    """Measure, print a table, write `results/train.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--batch", type=int, default=64, help="pairs in a step (default 64)")
    parser.add_argument("--rounds", type=int, default=8, help="turns that each variant takes (default 8)")
    args = parser.parse_args()
    variants = {
        f"{'bfloat16' if low else 'float32'} {'channels-last' if last else 'NCHW'}": step(args.batch, low, last)
        for low in (False, True)
        for last in (False, True)
    }
    seconds = turns(variants, args.rounds)
    rates = {name: args.batch / statistics.median(times) for name, times in seconds.items()}
    rendering = turns(renderers(), args.rounds)
    result = {
        "training_pairs_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "ratio_to_plain": {name: round(rate / rates["float32 NCHW"], 2) for name, rate in rates.items()},
        "rendering_per_s_one_core": {n: round(1 / statistics.median(t), 2) for n, t in rendering.items()},
    }
    for section, values in result.items():
        print(section)
        for name, value in values.items():
            print(f"  {name:28} {value:8}")
    print(write_record("train", result))


def step(batch: int, low: bool, channels_last: bool) -> Callable[[], object]:
    """A whole optimizer step on fixed pictures."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    inputs = InputSpec()
    net = CLNet(CLNetSpec(), inputs).to(memory_format=layout)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    ground, satellite = (
        torch.randint(0, 256, (batch, *size[::-1], 3), dtype=torch.uint8)
        for size in (inputs.ground_size_px, inputs.satellite_size_px)
    )

    def run() -> object:
        with autocast(torch.device("cpu"), torch.bfloat16 if low else None):
            a = net(normalise(ground, inputs).contiguous(memory_format=layout), "ground")
            b = net(normalise(satellite, inputs).contiguous(memory_format=layout), "satellite")
        loss = symmetric_info_nce(a, b, net.logit_scale)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        return loss.item()

    return run


def renderers() -> dict[str, Callable[[], object]]:
    """One megapixel of ground, one training tile, one training panorama."""
    ground = paint_ground(1, Window(-420, -420, 840, 840))
    above, below = (draw_appearance(1, 1, Difficulty(), from_ground=side) for side in (False, True))
    camera = Camera(0.0, 0.0, width_px=512, height_px=128, vertical_deg=60.0)
    return {
        "megapixels of ground": lambda: paint_ground(1, Window(5000, 5000, 1000, 1000)),
        "tiles of 128 px": lambda: render_tile(ground, (-50.0, -50.0, 50.0, 50.0), 128, above),
        "panoramas of 512 x 128 px": lambda: render_panorama(ground, camera, below),
    }


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
