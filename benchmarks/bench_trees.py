"""Two checkouts of this project side by side: does the newer one import, build, search and serve as fast?

    python -m benchmarks.bench_trees --before ../older-checkout --photos 50

The commands of both run in turn, A B B A, in one environment, each from its own checkout, with bytecode that Python
kept of an earlier run. What is compared is the processor time of the whole process, median of the ratios pair by pair;
wall time is recorded beside it. `python -c pass` says how much of it is Python's own.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.record import write_record

_HERE = Path(__file__).parents[1]

_SERVE = """
import sys, time, io
from pathlib import Path
from fastapi.testclient import TestClient
from service.app import create_app
from service.settings import Settings
threads = "torch_threads" if "torch_threads" in getattr(Settings, "model_fields", ()) else "threads"  # an older name
app = create_app(Settings(index=Path(sys.argv[1]), checkpoint="demo", workers=1, **{threads: 1}))
photo = Path(sys.argv[2]).read_bytes()
with TestClient(app) as client:
    (getattr(app.state, "engine", None) or app.state.runtime).loaded.wait(60)
    for _ in range(int(sys.argv[3])):
        assert client.post("/localize", files={"panorama": photo}, data={"heading_deg": "0"}).status_code == 200
"""


_NETWORK = ["--checkpoint", "demo"]
"""In both: its architecture has stayed, while the default has not."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one process: on the processor, its children's too, and by the clock."""

    cpu_s: float
    wall_s: float


def main() -> None:
    """Render a region, time every command in both checkouts, print and record the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--before", type=Path, required=True, help="the older checkout")
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs of each command (default 5)")
    parser.add_argument("--photos", type=int, default=50, help="photos posted to the service (default 50)")
    parser.add_argument("--starts", action="store_true", help="time imports and --help only; recorded as trees-starts")
    parser.add_argument("--side", type=int, default=12, help="tiles along each side of the region (default 12)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if args.starts:
            rows = {name: _compare(args.before, command, work, args.runs) for name, command in _starts().items()}
            _report("trees-starts", {"runs": args.runs, "rows": rows})
            return
        region = ["-m", "model", "render", "region", "--out", str(work / "region"), "--side", str(args.side)]
        _time(_HERE, region)
        for name, tree in (("before", args.before), ("after", _HERE)):  # formats of an index may differ
            built = ["--tiles", str(work / "region/tiles"), "--out", str(work / f"index-{name}"), "--quiet"]
            _time(tree, ["-m", "indexer", "build", *_NETWORK, *built])
        photo = sorted((work / "region/panoramas").glob("*.jpg"))[0]
        rows = {
            name: _compare(args.before, command, work, args.runs)
            for name, command in _commands(work, photo, args.photos).items()
        }
    _report("trees", {"runs": args.runs, "photos": args.photos, "tiles": args.side**2, "rows": rows})


def _report(name: str, result: dict[str, Any]) -> None:
    for command, row in result["rows"].items():
        print(f"{command:24} {row['before_cpu_s']:7.3f} s -> {row['after_cpu_s']:7.3f} s of CPU, ratio {row['ratio']}")
    print(write_record(name, result))


def _starts() -> dict[str, list[str]]:
    return {
        "python alone": ["-c", "pass"],
        "import of the packages": ["-c", "import model, indexer, service"],
        "model --help": ["-m", "model", "--help"],
        "indexer --help": ["-m", "indexer", "--help"],
        "service --help": ["-m", "service", "--help"],
    }


def _commands(work: Path, photo: Path, photos: int) -> dict[str, list[str]]:
    tiles, out = str(work / "region/tiles"), str(work / "built")
    index = str(work / "index-{tree}")
    search = [*_NETWORK, "--index", index, "--image", str(photo), "--heading-deg", "0"]
    return _starts() | {
        "indexer build": ["-m", "indexer", "build", *_NETWORK, "--tiles", tiles, "--out", out, "--quiet"],
        "indexer search": ["-m", "indexer", "search", *search],
        f"service, {photos} photos": ["-c", _SERVE, index, str(photo), str(photos)],
    }


def _compare(before: Path, command: list[str], work: Path, runs: int) -> dict[str, Any]:
    timings: dict[str, list[Timing]] = {"before": [], "after": []}
    trees = [("before", before), ("after", _HERE)]
    for run in range(runs + 1):  # the first is a warm-up
        for name, tree in trees if run % 2 else reversed(trees):
            shutil.rmtree(work / "built", ignore_errors=True)
            timing = _time(tree, [part.replace("index-{tree}", f"index-{name}") for part in command])
            if run:
                timings[name].append(timing)
    ratios = [a.cpu_s / b.cpu_s for b, a in zip(timings["before"], timings["after"], strict=True)]
    walls = [a.wall_s / b.wall_s for b, a in zip(timings["before"], timings["after"], strict=True)]
    medians = {f"{name}_cpu_s": round(statistics.median(t.cpu_s for t in all_), 3) for name, all_ in timings.items()}
    return medians | {
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "wall_ratio": round(statistics.median(walls), 3),
    }


def _time(tree: Path, command: list[str]) -> Timing:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as users start it
    earlier, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, *command], cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL)
    wall_s, later = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Timing(later.ru_utime + later.ru_stime - earlier.ru_utime - earlier.ru_stime, wall_s)


if __name__ == "__main__":
    main()
