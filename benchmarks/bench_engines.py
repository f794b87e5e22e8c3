"""`POST /localize` at one client, with each engine, in one run: rate, latency and processor time beside torch's.

A service is started for each engine, all on one index; they are asked in turns, for the same number of requests, while
the others wait. Torch, as precise as it chooses, is what the service computed with before there were exports. Writes
`results/engines.json`.

    python -m benchmarks.bench_engines --index clnet-data/demo/index --photo PANORAMA
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np

from benchmarks.bench_service import start_service
from benchmarks.processes import cpu_seconds_of
from benchmarks.record import write_record

_REFERENCE = "torch"
_Service = tuple[str, subprocess.Popen[bytes]]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    args = _parser().parse_args(argv)
    photo = args.photo.read_bytes()
    seconds: dict[str, list[float]] = {engine: [] for engine in args.engines}
    cpu_s = dict.fromkeys(args.engines, 0.0)
    with ExitStack() as started:
        services = {
            engine: started.enter_context(
                start_service(args.index, args.checkpoint, ["--engine", engine, *args.service_flags])
            )
            for engine in args.engines
        }
        for number in range(args.rounds + 1):
            for engine, service in services.items():
                took, cpu = _ask(service, photo, args.requests // args.rounds)
                if number:  # the first round warms up
                    seconds[engine] += took
                    cpu_s[engine] += cpu
    result = {engine: _summed(seconds[engine], cpu_s[engine]) for engine in args.engines}
    for one in result.values():
        reference = result[_REFERENCE]
        one["rate_to_torch"] = round(one["per_s"] / reference["per_s"], 2)
        one["cpu_to_torch"] = round(one["cpu_ms"] / reference["cpu_ms"], 3)
    for engine, one in result.items():
        print(f"{engine:14}", one)
    print(write_record(args.name, {"clients": 1, "beside": args.beside, "engines": result}))
    return 0


def _ask(service: _Service, photo: bytes, count: int) -> tuple[list[float], float]:
    """Seconds of each request, and processor seconds of the service for all of them."""
    url, process = service
    took = []
    before_s = cpu_seconds_of(process.pid)
    with httpx.Client(base_url=url, timeout=120) as client:
        for _ in range(count):
            begin = time.perf_counter()
            client.post("/localize", files={"panorama": photo}).raise_for_status()
            took.append(time.perf_counter() - begin)
    return took, cpu_seconds_of(process.pid) - before_s


def _summed(seconds: Sequence[float], cpu_s: float) -> dict[str, float]:
    p50, p95 = 1000 * np.percentile(seconds, [50, 95])
    told = {
        "requests": len(seconds),
        "per_s": len(seconds) / sum(seconds),
        "p50_ms": float(p50),
        "p95_ms": float(p95),
        "cpu_ms": 1000 * cpu_s / len(seconds),
    }
    return {name: round(value, 2) for name, value in told.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_engines", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--index", type=Path, required=True, help="index folder to serve")
    add("--photo", type=Path, required=True, help="panorama to post")
    add("--checkpoint", default="demo", help="encoder bundle (default %(default)s)")
    add("--engines", nargs="+", default=["onnxruntime", _REFERENCE], help="engines, torch among them")
    add("--requests", type=int, default=200, help="that count, of each engine (default %(default)s)")
    add("--rounds", type=int, default=4, help="turns in which they are asked (default %(default)s)")
    add("--name", default="engines", help="of the record (default %(default)s)")
    add("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    add("--service-flags", nargs=argparse.REMAINDER, default=[], help="further flags of `python -m service`, last")
    return parser


if __name__ == "__main__":
    sys.exit(main())
