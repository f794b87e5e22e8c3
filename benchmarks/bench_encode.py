"""What one picture costs in each engine and precision, as a share of torch in float32, in one run.

The engines take turns; processor time of the process is counted, which other programs hardly disturb, and wall time
beside it. Writes `results/encode.json`.

    make bench-encode
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.record import write_record
from model.network.encoder import Encoder

_BATCHES = (1, 4, 16, 32)
_ENGINES: dict[str, dict[str, Any]] = {
    "torch float32": {"engine": "torch", "precision": "float32"},
    "torch auto": {"engine": "torch", "precision": "auto"},
    "onnxruntime float32": {"engine": "onnxruntime"},
    "openvino float32": {"engine": "openvino", "precision": "float32"},
    "openvino auto": {"engine": "openvino", "precision": "auto"},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", nargs="+", default=["demo"], help="bundles that were exported")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--threads", type=int, default=1, help="of one pass")
    args = parser.parse_args(argv)
    result = {name: _measure(name, rounds=args.rounds, threads=args.threads) for name in args.checkpoint}
    for name, engines in result.items():
        print(name)
        print(f"{'ms of processor time a panorama, batch':42}" + "".join(f"{batch:>16}" for batch in _BATCHES))
        for engine, batches in engines.items():
            cells = (f"{one['cpu_ms']:8.2f} ({one['ratio']:4.2f})" for one in batches.values())
            print(f"{engine:42}" + "".join(f"{cell:>16}" for cell in cells))
    write_record("encode", {"threads": args.threads, "engines": result})
    return 0


def _measure(checkpoint: str, *, rounds: int, threads: int) -> dict[str, dict[str, dict[str, float]]]:
    encoders = {
        name: Encoder.load(checkpoint, device="cpu", threads=threads, **options) for name, options in _ENGINES.items()
    }
    width, height = next(iter(encoders.values())).inputs.ground_size_px
    pictures = np.random.default_rng(0).integers(0, 256, (max(_BATCHES), height, width, 3), np.uint8)
    table: dict[str, dict[str, Any]] = {name: {} for name in encoders}
    for batch in _BATCHES:
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in encoders}
        for turn in range(rounds + 1):
            for name, encoder in encoders.items():
                cpu, wall = time.process_time(), time.perf_counter()
                for _ in range(max(1, 16 // batch)):
                    encoder.encode_ground(pictures[:batch])
                if turn:  # the first warms up
                    count = batch * max(1, 16 // batch)
                    times[name].append(((time.process_time() - cpu) / count, (time.perf_counter() - wall) / count))
        medians = {
            name: [1e3 * statistics.median(one) for one in zip(*each, strict=True)] for name, each in times.items()
        }
        reference = medians["torch float32"][0]
        for name, (cpu_ms, wall_ms) in medians.items():
            cells = {"cpu_ms": cpu_ms, "wall_ms": wall_ms, "ratio": cpu_ms / reference}
            table[name][str(batch)] = {key: round(value, 3) for key, value in cells.items()}
    return table


if __name__ == "__main__":
    sys.exit(main())
