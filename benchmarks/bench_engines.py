"""`POST /localize` at one client, with each engine, in one run: rate, latency and processor time beside torch's.

A service is started for each engine, all on one index; they are asked in turns, for the same number of requests, while
the others wait. Torch, as precise as it chooses and with a pass for each heading, is what a service computed with
before there were exports. The same photo is asked for with its heading known, and unknown. Writes
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

import httpx
import numpy as np

from benchmarks.bench_service import start_service
from benchmarks.processes import cpu_seconds_of
from benchmarks.record import write_record
from benchmarks.served import wait_until_answered
from benchmarks.service_flags import service_parser
from model.inputs.specs import COARSE_HEADINGS

_START_PATIENCE_S = 600.0
_BEFORE = "torch, a pass a heading"
_WAYS: dict[str, list[str]] = {
    "onnxruntime": ["--engine", "onnxruntime"],
    "openvino": ["--engine", "openvino"],
    "torch": ["--engine", "torch"],
    _BEFORE: ["--engine", "torch", "--headings", str(COARSE_HEADINGS + 1)],  # no network gives these at once
}
_CASES: dict[str, dict[str, str]] = {
    "known heading": {"heading_deg": "0"},
    "unknown heading": {"heading_deg": "unknown"},
}
_Service = tuple[str, subprocess.Popen[bytes]]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    args = _parser().parse_args(argv)
    photo = args.photo.read_bytes()
    ways = list(dict.fromkeys([*args.ways, _BEFORE]))
    seconds: dict[tuple[str, str], list[float]] = {(case, way): [] for case in _CASES for way in ways}
    cpu_s = dict.fromkeys(seconds, 0.0)
    with ExitStack() as started:
        services = {
            way: started.enter_context(
                start_service(args.index, args.checkpoint, [*_WAYS[way], *args.service_flags], wait=False)
            )
            for way in ways
        }
        for service in services.values():
            url, process = service
            wait_until_answered(f"{url}/readyz", process=process, patience_s=_START_PATIENCE_S, every_s=0.5)
        for number in range(args.rounds + 1):
            for case, way in seconds:
                took, cpu = _ask(services[way], photo, _CASES[case], max(1, args.requests // args.rounds))
                if number:  # the first round warms up
                    seconds[case, way] += took
                    cpu_s[case, way] += cpu
    result: dict[str, dict[str, dict[str, float]]] = {case: {} for case in _CASES}
    for (case, way), took in seconds.items():
        result[case][way] = _summed(took, cpu_s[case, way])
    for case, measured in result.items():
        before = dict(measured[_BEFORE])
        for way, one in measured.items():
            one["times_the_rate_before"] = round(one["per_s"] / before["per_s"], 2)
            one["share_of_cpu_before"] = round(one["cpu_ms"] / before["cpu_ms"], 3)
            print(f"{case:16} {way:24}", one)
    print(write_record(args.name, {"clients": 1, "beside": args.beside, **result}))
    return 0


def _ask(service: _Service, photo: bytes, fields: dict[str, str], count: int) -> tuple[list[float], float]:
    """Seconds of each request, and processor seconds of the service for all of them."""
    url, process = service
    took = []
    before_s = cpu_seconds_of(process.pid)
    with httpx.Client(base_url=url, timeout=120) as client:
        for _ in range(count):
            begin = time.perf_counter()
            client.post("/localize", files={"panorama": photo}, data=fields).raise_for_status()
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
    parser = service_parser("bench_engines", __doc__, photo="panorama to post")
    add = parser.add_argument
    add("--ways", nargs="+", choices=_WAYS, default=["onnxruntime", "torch"], help="beside the one before")
    add("--requests", type=int, default=200, help="that count, of each way (default %(default)s)")
    add("--rounds", type=int, default=4, help="turns in which they are asked (default %(default)s)")
    add("--name", default="engines", help="of the record (default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
