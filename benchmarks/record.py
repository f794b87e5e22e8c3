"""What the benchmarks share: taking turns, and recording command, machine, date and versions beside the numbers."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "circumstances", "turns", "write_record"]

RESULTS = Path(__file__).parent / "results"


def circumstances() -> dict[str, Any]:
    """Command, date, machine and the versions that matter for speed."""
    return {
        "command": shlex.join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "load_before": round(os.getloadavg()[0], 2),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "versions": {
            name: _version(name)
            for name in ("torch", "timm", "onnxruntime", "openvino", "numpy", "faiss-cpu", "faiss-gpu", "pillow")
        },
    }


def write_record(name: str, result: Mapping[str, Any]) -> Path:
    """Write `results/NAME.json`: the circumstances and the result."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**circumstances(), "result": result}, indent=2) + "\n")
    return path


def turns(
    variants: Mapping[str, Callable[[], object]], rounds: int, *, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each variant in each round, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, run in variants.items():
            started = clock()
            run()
            if number:
                seconds[name].append(clock() - started)
    return seconds


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
