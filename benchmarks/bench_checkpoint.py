"""The demo checkpoint on the world benchmark: every protocol that its results page quotes, and its pace.

    python -m benchmarks.bench_checkpoint --checkpoint demo

Each row is the public command `python -m model evaluate ... --json`. Writes `results/NAME.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from typing import Any

import numpy as np

from benchmarks.record import write_record
from clnet_geolocalization import command as own_command
from model.inputs.heading_search import coarse_turns, fine_offsets
from model.network.encoder import Encoder

_CENTRE = ("--anchors", "1")  # the camera is known to stand there
_SEARCHED = ("--heading-deg", "unknown", "--queries", "2000")  # 30 copies of each query
ROWS: dict[str, tuple[str, ...]] = {
    "north-aligned, centre": ("world:cross-area-centre", *_CENTRE),
    "north-aligned, offset": ("world:cross-area",),
    "north-aligned, offset, 49 anchors": ("world:cross-area", "--anchors", "7"),
    "unknown heading, centre": ("world:cross-area-centre", *_CENTRE, *_SEARCHED),
    "unknown heading, offset": ("world:cross-area", *_SEARCHED),
    "90 degrees, known heading, centre": ("world:cross-area-centre", *_CENTRE, "--fov-deg", "90"),
    "90 degrees, known heading, offset": ("world:cross-area", "--fov-deg", "90"),
    "overlapping grid, offset": ("world:cross-area-grid",),
    "same area, centre": ("world:same-area-centre", *_CENTRE),
    "same area, offset": ("world:same-area",),
}
"""What is measured: a name, the data set, and the options of the protocol."""


def main() -> None:
    """Evaluate row by row, print a table, record it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--checkpoint", default="demo", help="bundle folder, or the name of a packaged one")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS), help="which rows (default: all)")
    parser.add_argument("--name", default="checkpoint", help="of the record (default: %(default)s)")
    args = parser.parse_args()
    print(f"{'':36} {'R@1':>6} {'R@5':>6} {'R@10':>6} {'heading':>8}")
    table = {}
    for name in args.rows:
        table[name] = _evaluate(args.checkpoint, ROWS[name])
        print(_line(name, table[name]), flush=True)
    result = {"checkpoint": args.checkpoint, "rows": table, "one_panorama": _latency(args.checkpoint)}
    print(json.dumps(result["one_panorama"]))
    print(write_record(args.name, result))


def _evaluate(checkpoint: str, row: tuple[str, ...]) -> dict[str, Any]:
    command = [*own_command("model", "evaluate"), "--checkpoint", checkpoint, "--json", "--data", *row]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(found)
    return result


def _line(name: str, result: dict[str, Any]) -> str:
    error = result.get("heading_error_deg_median")
    heading = "" if error is None else f"{error:.1f} deg"
    recall = (f"{result[key]:6.2f}" for key in ("recall@1", "recall@5", "recall@10"))
    return f"{name:36} {' '.join(recall)} {heading:>8}"


def _latency(checkpoint: str) -> dict[str, float]:
    """Median milliseconds to embed one panorama, with its heading known and with all headings tried."""
    encoder = Encoder.load(checkpoint)
    columns, rows = encoder.inputs.ground_size_px
    copies = len(coarse_turns(24, columns)) + len(fine_offsets(24, columns))
    batches = {"known_heading_ms": 1, "unknown_heading_ms": copies}
    canvas = np.random.default_rng(0).integers(0, 256, (copies, rows, columns, 3), np.uint8)
    found: dict[str, float] = {}
    for name, count in batches.items():
        times = []
        for _ in range(12):
            began = time.perf_counter()
            encoder.encode_ground(canvas[:count])
            times.append(time.perf_counter() - began)
        found[name] = round(statistics.median(times[2:]) * 1000, 1)
    return found


if __name__ == "__main__":
    main()
