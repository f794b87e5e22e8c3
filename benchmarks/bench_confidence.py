"""How much a confidence is worth: cross-area photos that it was not fitted on, half of them from outside the index.

    python -m benchmarks.bench_confidence --checkpoint demo --out runs/confidence

A gallery, that of `world:cross-area` unless told otherwise, is indexed; photos from inside are its queries, those from
outside are taken in other worlds (`world:calibration`), whose places are written down a degree further east, since all
worlds share one plane. Half of both fit the calibration, the other half checks it, by the public commands, for each way
of asking. Writes `results/NAME.json`, and the diagrams of the fits beside it.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, write_record
from clnet_geolocalization import command as own_command
from model.common.geo import LatLon
from model.common.manifest_rows import ManifestRow, write_manifest
from model.data.pairs import PairSet
from model.data.sources import open_pairs
from model.synthetic.splits import TILE_M

_ELSEWHERE_DEG = 1.0

ASKED: dict[str, tuple[str, ...]] = {
    "known heading": ("--heading-deg", "known"),
    "unknown heading": ("--heading-deg", "unknown"),
    "90 degrees, known heading": ("--heading-deg", "known", "--fov-deg", "90"),
}
"""Ways of asking, with the options of the command."""


def main() -> None:
    """Build, fit, check, print a table, record it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--checkpoint", default="demo", help="bundle folder, or the name of a packaged one")
    parser.add_argument("--out", type=Path, default=Path("runs/confidence"), help="folder for index and manifests")
    parser.add_argument(
        "--asked", nargs="+", default=list(ASKED), choices=list(ASKED), help="which ways (default: all)"
    )
    parser.add_argument("--data", default="world:cross-area", help="whose gallery and queries (default: %(default)s)")
    parser.add_argument("--anchors", type=int, help="of each tile, along each axis (default: the checkpoint's)")
    parser.add_argument("--name", default="confidence", help="of the record (default: %(default)s)")
    args = parser.parse_args()
    inside, outside = open_pairs(args.data), open_pairs("world:calibration")
    args.out.mkdir(parents=True, exist_ok=True)
    anchors = [] if args.anchors is None else ["--anchors", args.anchors]
    index = _index(args.out, inside, ["--checkpoint", args.checkpoint, *anchors])
    count = len(outside.queries)
    halves = [
        [
            _manifest(args.out / f"inside-{half}.csv", inside, half, count, east_deg=0.0),
            _manifest(args.out / f"outside-{half}.csv", outside, half, count, east_deg=_ELSEWHERE_DEG),
        ]
        for half in (0, 1)
    ]
    result: dict[str, Any] = {"checkpoint": args.checkpoint, "data": inside.name, "tiles": len(inside.references)}
    result |= {"anchors": args.anchors, "asked": {}}
    for name in args.asked:
        asking = ["calibrate", "--index", index, "--checkpoint", args.checkpoint, "--json", "--quiet", *ASKED[name]]
        (fitted,) = _run([*asking, "--queries", *halves[0]])["calibrations"]
        shutil.copy(next(index.glob("calibration-*.png")), RESULTS / f"{args.name}-{_slug(name)}.png")
        (checked,) = _run([*asking, "--check", "--queries", *halves[1]])["checked"]
        result["asked"][name] = {"fused": fitted["reading"]["fused"], "checked": checked}
        print(f"{name:28} ECE {checked['ece']:.4f}  AUROC inside/outside {checked['auroc_inside']:.4f}", flush=True)
    print(write_record(args.name, result))


def _index(out: Path, pairs: PairSet, options: list[Any]) -> Path:
    """The gallery as an index, built anew with some options."""
    listed, index = out / "tiles.csv", out / "index"
    shutil.rmtree(index, ignore_errors=True)
    with listed.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "lat", "lon"])
        for tile in pairs.references:
            assert tile.location is not None  # the world knows where its tiles are
            rows.writerow([tile.path.resolve(), tile.location.lat, tile.location.lon])
    command = ["indexer", "build", "--tiles", listed, "--tile-size-m", TILE_M, "--out", index, "--quiet"]
    subprocess.run(_words([*command, *options]), check=True)
    return index


def _manifest(path: Path, pairs: PairSet, half: int, count: int, *, east_deg: float) -> Path:
    """Every second of `count` evenly spaced queries, from the first or from the second on."""
    step = len(pairs.queries) / count
    write_manifest(path, _rows(pairs, [int(number * step) for number in range(half, count, 2)], east_deg))
    return path


def _rows(pairs: PairSet, numbers: Iterable[int], east_deg: float) -> Iterable[ManifestRow]:
    for number in numbers:
        query, tile = pairs.queries[number], pairs.references[int(pairs.positives[number])]
        assert query.location is not None
        assert tile.location is not None
        photo, picture = str(query.path.resolve()), str(tile.path.resolve())
        places = (LatLon(one.lat, one.lon + east_deg) for one in (query.location, tile.location))
        yield ManifestRow.pair(photo, picture, *places, vertical_deg=query.vertical_deg)


def _run(command: list[Any]) -> dict[str, Any]:
    found = subprocess.run(_words(["indexer", *command]), check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(found)
    return result


def _slug(name: str) -> str:
    return name.replace(",", "").replace(" ", "-")


def _words(command: list[Any]) -> list[str]:
    return own_command(*map(str, command))


if __name__ == "__main__":
    main()
