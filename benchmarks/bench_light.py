"""The environment without torch, for real: its size, the time to install it, and the service in it.

Makes a fresh virtual environment, installs the project into it without any extra, builds a small index of a rendered
region there, and starts the service: seconds until it is ready, memory, and `localize` of one photo from a cold start.
Python compiles what is imported at the first use: the first start of the service tells what that costs, and the size is
measured before and after.
Writes `results/light.json`.

    python -m benchmarks.bench_light --folder SCRATCH
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import write_record
from benchmarks.served import free_port, wait_until_answered

_ROOT = Path(__file__).parents[1]
_FORBIDDEN = ("torch", "timm", "torchvision", "onnx", "safetensors", "matplotlib")
_STARTS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, required=True, help="scratch folder; an environment in it is used again")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    parser.add_argument("--side", type=int, default=32, help="tiles along each side of the region")
    args = parser.parse_args(argv)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is imported stays compiled, as it does by default
    python = args.folder / "venv/bin/python"
    installed = None if python.exists() else _install(args.folder / "venv")
    result: dict[str, Any] = {
        "beside": args.beside,
        "install": installed,
        "disk_mb": _megabytes(args.folder / "venv"),
        "largest_mb": _largest(args.folder / "venv"),
        "training_libraries": [name for name in _FORBIDDEN if _has(python, name)],
    }
    region, index = args.folder / "region", args.folder / "index"
    if not index.exists():
        _run(python, "model", "render", "region", "--out", str(region), "--side", str(args.side))
        _run(python, "indexer", "build", "--tiles", str(region / "tiles"), "--out", str(index), "--quiet")
    photo = next((region / "panoramas").glob("*.jpg"))
    result["localize_cold_s"] = _least(
        lambda: _run(python, "indexer", "localize", "--index", str(index), str(photo), "--json")
    )
    result["version_s"] = _least(lambda: _run(python, "indexer", "--version"))
    result["service"] = [_serve(python, index) for _ in range(_STARTS)]
    result["disk_used_mb"] = _megabytes(args.folder / "venv")
    print(result)
    write_record("light", result)
    return 0


def _install(folder: Path) -> dict[str, float]:
    """Seconds that pip takes, and its processor time; what is left is the network's, and other programs'."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    began, before = time.perf_counter(), _children_s()
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "-c", str(_ROOT / "constraints.txt"), "-e", str(_ROOT)], check=True)
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "processor_s": round(_children_s() - before, 1),
    }


def _megabytes(folder: Path) -> int:
    return round(sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 1e6)


def _largest(folder: Path) -> dict[str, int]:
    """What takes most of it."""
    (packages,) = folder.glob("lib/python*/site-packages")
    sizes = {path.name: _megabytes(path) for path in packages.iterdir() if path.is_dir()}
    return dict(sorted(sizes.items(), key=lambda one: -one[1])[:10])


def _has(python: Path, name: str) -> bool:
    code = f"import sys; from importlib.util import find_spec; sys.exit(find_spec({name!r}) is None)"
    return subprocess.run([str(python), "-c", code], check=False).returncode == 0


def _run(python: Path, module: str, *arguments: str) -> None:
    subprocess.run([str(python), "-m", module, *arguments], cwd=_ROOT, check=True, capture_output=True)


def _least(measured: object) -> dict[str, float]:
    """Least and greatest of some starts, and the least processor time, in seconds."""
    assert callable(measured)
    seconds, processor = [], []
    for _ in range(_STARTS):
        began, before = time.perf_counter(), _children_s()
        measured()
        seconds.append(time.perf_counter() - began)
        processor.append(_children_s() - before)
    return {
        "least": round(min(seconds), 2),
        "greatest": round(max(seconds), 2),
        "processor_s": round(min(processor), 2),
    }


def _children_s() -> float:
    """Processor time of the processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _serve(python: Path, index: Path) -> dict[str, float]:
    """Seconds from the start of the process until it is ready, its processor time until then, and its memory."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(python), "-m", "service", "--index", str(index), "--port", str(port)], cwd=_ROOT, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_answered(f"http://127.0.0.1:{port}/readyz")
        ready = time.perf_counter() - began
        status = Path(f"/proc/{process.pid}/status").read_text()
        times = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        used = (int(times[11]) + int(times[12])) / 100
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    finally:
        process.terminate()
        process.wait()
    return {"ready_s": round(ready, 2), "processor_s": used, "resident_mb": round(resident * 1024 / 1e6)}


if __name__ == "__main__":
    sys.exit(main())
