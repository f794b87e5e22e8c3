"""What a training step on a CPU gains where the process keeps the memory that it frees.

Both ways take turns in fresh processes: as the C library does it by itself, and as `train` asks for it. A step is the
trainer's own, on random pictures that no worker had to decode.

    python -m benchmarks.bench_freed_memory --config configs/street-eighth.json --batch 64
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

from benchmarks.record import write_record
from model.common.freed_memory import keep_freed_memory
from model.training.config import load_run
from model.training.trainer import Trainer

_WAYS = ("given back", "kept")


def main() -> None:
    """Measure, print a table, write `results/freed-memory.json`."""
    args = _arguments()
    if args.child:
        print(json.dumps(_measure(args)))
        return
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in _WAYS}
    for _ in range(args.rounds):
        for way in _WAYS:
            runs[way].append(_in_own_process(args, way))
    medians = {
        way: {name: round(statistics.median(one[name] for one in measured), 3) for name in measured[0]}
        for way, measured in runs.items()
    }
    result = {
        "settings": {"config": args.config.name, "batch": args.batch, "steps": args.steps, "rounds": args.rounds},
        "medians": medians,
        "times_as_fast": round(medians["kept"]["pairs_per_s"] / medians["given back"]["pairs_per_s"], 2),
    }
    print(json.dumps(result, indent=2))
    if args.record:
        print(write_record("freed-memory", result))


def _in_own_process(args: argparse.Namespace, way: str) -> dict[str, float]:
    told = ("--config", str(args.config), "--batch", str(args.batch), "--steps", str(args.steps), "--child", way)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_freed_memory", *told], stdout=subprocess.PIPE, text=True, check=True
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _measure(args: argparse.Namespace) -> dict[str, float]:
    """Of steps after the first two, which also build what every step uses."""
    if args.child == "kept" and not keep_freed_memory():
        raise SystemExit("this C library gives freed memory back whatever it is asked; measure where glibc is")
    run = load_run(args.config, (f"optim.batch={args.batch}", "pretrained=false"))
    trainer = Trainer(run, device=torch.device("cpu"))
    turned = run.data.augment.turned
    ground, tile = run.inputs.ground_size_px, run.inputs.satellite_size_px
    panoramas = torch.randint(256, (args.batch * (1 + turned), *ground[::-1], 3), dtype=torch.uint8)
    tiles = torch.randint(256, (args.batch, *tile[::-1], 3), dtype=torch.uint8)
    for _ in range(2):
        trainer.advance(panoramas, tiles)
    begun, faults = time.perf_counter(), _page_faults()
    for _ in range(args.steps):
        trainer.advance(panoramas, tiles)
    seconds = (time.perf_counter() - begun) / args.steps
    return {
        "seconds_a_step": seconds,
        "pairs_per_s": args.batch / seconds,
        "page_faults_a_step": (_page_faults() - faults) / args.steps,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _page_faults() -> int:
    """Pages that the kernel had to hand out so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--config", type=Path, default=Path("configs/street-eighth.json"), help="run whose step it is")
    parser.add_argument("--batch", type=int, default=64, help="pairs in a step (default 64)")
    parser.add_argument("--steps", type=int, default=4, help="steps of a process that are counted (default 4)")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each way (default 3)")
    parser.add_argument("--child", choices=_WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True,
                        help="write results/freed-memory.json (default: yes)")  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    main()
