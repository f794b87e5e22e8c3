"""What a panorama costs on a GPU, eagerly and as a recorded graph.

A pass is timed whole, from uint8 pictures in memory to vectors in memory. A graph is recorded once for each size of a
batch, and replayed. The search has its own benchmark, `bench_device_scan`. Writes `results/gpu.json`.

    python -m benchmarks.bench_gpu
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from benchmarks.record import write_record
from model.network.bundle_files import read_bundle_info
from model.network.engines.torch_engine import TorchEngine


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", default="street", help="bundle (default: %(default)s)")
    parser.add_argument("--device", default="cuda", help="(default: %(default)s)")
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8, 32, 128, 512], help="pictures in a pass")
    parser.add_argument("--rounds", type=int, default=15, help="of which the median counts")
    args = parser.parse_args(argv)
    card = torch.cuda.get_device_name() if args.device.startswith("cuda") else platform.processor()
    result = {
        "card": card,
        "torch": torch.__version__,
        "encode": _encode(args.checkpoint, args.device, args.batch, args.rounds),
    }
    for name, row in result["encode"].items():  # type: ignore[attr-defined]
        print(f"{name:30}", row)
    print(write_record("gpu", result))
    return 0


def _encode(checkpoint: str, device: str, batches: Sequence[int], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of wall time a panorama, by way and batch."""
    info = read_bundle_info(checkpoint)
    engines = {
        f"{way} {precision}": TorchEngine(str(info.folder), device=device, precision=precision, recorded=way == "graph")
        for way in ("eager", "graph")
        for precision in ("float32", "bfloat16")
    }
    ways = {name: partial(engine.run, view="ground") for name, engine in engines.items()}
    width, height = info.inputs.ground_size_px
    pictures = np.random.default_rng(0).integers(0, 256, (max(batches), height, width, 3), np.uint8)
    table: dict[str, dict[str, float]] = {name: {} for name in ways}
    for batch in batches:
        for name, way in ways.items():
            table[name][str(batch)] = round(1e3 * _median(lambda: way(pictures[:batch]), rounds) / batch, 4)  # noqa: B023
    vectors = [np.asarray(way(pictures[: batches[1]])) for way in ways.values()]
    table["least cosine to eager float32"] = {
        name: round(float((vectors[0] * other).sum(axis=1).min()), 6) for name, other in zip(ways, vectors, strict=True)
    }
    return table


def _median(run: Callable[[], object], rounds: int) -> float:
    run()
    run()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    raise SystemExit(main())
