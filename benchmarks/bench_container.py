"""The container: what its image adds to its base, and how long one takes from its start to the first answer.

    docker build -t clnet-geolocalization:cpu .
    python -m benchmarks.bench_container --index clnet-data/demo/index --photo PANORAMA

A container of it serves an index that is mounted read-only, on a read-only file system as in `docker-compose.yml`.
Writes `results/container.json`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import write_record
from benchmarks.served import free_port, wait_until_answered
from service.client import Client


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--image", default="clnet-geolocalization:cpu", help="what was built (default: %(default)s)")
    parser.add_argument("--base", default="python:3.11-slim-bookworm", help="what it stands on (default: %(default)s)")
    parser.add_argument("--index", type=Path, required=True, help="an index folder")
    parser.add_argument("--photo", type=Path, required=True, help="a panorama of its ground")
    parser.add_argument("--starts", type=int, default=3, help="how often (default: %(default)s)")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    args = parser.parse_args(argv)
    whole, base = (_megabytes(name) for name in (args.image, args.base))
    result: dict[str, Any] = {
        "beside": args.beside,
        "image_mb": whole,
        "base_mb": base,
        "beside_the_base_mb": round(whole - base, 1),
        "starts": [_start(args.image, args.index, args.photo) for _ in range(args.starts)],
    }
    print(json.dumps(result, indent=2))
    print(write_record("container", result))
    return 0


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def _megabytes(image: str) -> float:
    return round(int(_docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6, 1)


def _start(image: str, index: Path, photo: Path) -> dict[str, Any]:
    """Seconds from `docker run` to health, readiness and the first answer; then to the end after a stop."""
    port = free_port()
    began = time.perf_counter()
    container = _docker(
        "run", "--detach", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/spool:uid=10001",
        "--env", "TMPDIR=/spool", "--publish", f"127.0.0.1:{port}:8000", "--volume", f"{index.absolute()}:/index:ro",
        image, "--index", "/index",
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        times = {}
        for name in ("healthz", "readyz"):
            wait_until_answered(f"{url}/{name}")
            times[f"{name}_s"] = round(time.perf_counter() - began, 2)
        with Client(url) as client:
            answer = client.localize(photo)
        times["first_answer_s"] = round(time.perf_counter() - began, 2)
        assert answer.matches
        memory = _docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container).split(" / ")[0]
        began = time.perf_counter()
        _docker("stop", "--time", "30", container)
        code = int(_docker("inspect", "--format", "{{.State.ExitCode}}", container))
        return {**times, "memory": memory, "stop_s": round(time.perf_counter() - began, 2), "exit_code": code}
    finally:
        _docker("rm", "--force", container)


if __name__ == "__main__":
    sys.exit(main())
