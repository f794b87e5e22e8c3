"""The environment without torch, for real: its size, the time to install it, and the service in it.

Makes a fresh virtual environment, installs the project into it without any extra, builds a small index of a rendered
region there, and starts the service: seconds until it is ready, memory, and `localize` of one photo from a cold start.
Writes `results/light.json`.

    python -m benchmarks.bench_light --folder SCRATCH
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import write_record

_ROOT = Path(__file__).parents[1]
_FORBIDDEN = ("torch", "timm", "torchvision", "onnx", "safetensors", "matplotlib")
_STARTS = 3
_PATIENCE_S = 120.0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, required=True, help="scratch folder; an environment in it is used again")
    parser.add_argument("--side", type=int, default=32, help="tiles along each side of the region")
    args = parser.parse_args(argv)
    python = args.folder / "venv/bin/python"
    seconds = None if python.exists() else _install(args.folder / "venv")
    result: dict[str, Any] = {
        "install_s": seconds,
        "disk_mb": _megabytes(args.folder / "venv"),
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
    print(result)
    write_record("light", result)
    return 0


def _install(folder: Path) -> float:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    began = time.perf_counter()
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "-c", str(_ROOT / "constraints.txt"), "-e", str(_ROOT)], check=True)
    return round(time.perf_counter() - began, 1)


def _megabytes(folder: Path) -> int:
    return round(sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 1e6)


def _has(python: Path, name: str) -> bool:
    code = f"import sys; from importlib.util import find_spec; sys.exit(find_spec({name!r}) is None)"
    return subprocess.run([str(python), "-c", code], check=False).returncode == 0


def _run(python: Path, module: str, *arguments: str) -> None:
    subprocess.run([str(python), "-m", module, *arguments], cwd=_ROOT, check=True, capture_output=True)


def _least(measured: object) -> dict[str, float]:
    """Least and greatest of some starts, in seconds."""
    assert callable(measured)
    seconds = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        measured()
        seconds.append(time.perf_counter() - began)
    return {"least": round(min(seconds), 2), "greatest": round(max(seconds), 2)}


def _serve(python: Path, index: Path) -> dict[str, float]:
    """Seconds from the start of the process until it is ready, its processor time until then, and its memory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(python), "-m", "service", "--index", str(index), "--port", str(port)], cwd=_ROOT, stderr=subprocess.DEVNULL
    )
    try:
        _wait(f"http://127.0.0.1:{port}/readyz")
        ready = time.perf_counter() - began
        status = Path(f"/proc/{process.pid}/status").read_text()
        times = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        used = (int(times[11]) + int(times[12])) / 100
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    finally:
        process.terminate()
        process.wait()
    return {"ready_s": round(ready, 2), "processor_s": used, "resident_mb": round(resident * 1024 / 1e6)}


def _wait(url: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise TimeoutError(f"{url} did not answer within {_PATIENCE_S:g} s")


if __name__ == "__main__":
    sys.exit(main())
