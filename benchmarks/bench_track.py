"""Photos of a route together against frame by frame, on routes through the demo region.

A route goes from photo to nearest photo not yet visited, as a walker would. Some frames are useless: they were taken
somewhere else. Recorded are the errors of the useful frames, and of all of them.

    python -m benchmarks.bench_track --data clnet-data/demo
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import write_record
from indexer.localization.answer import Localization
from indexer.localization.localizer import Localizer
from indexer.localization.track import find_track
from model.common.geo import LatLon, great_circle_m
from model.inputs.photo_view import GivenView
from service.many_routes import candidates_of, tile_side_m

_FOUND = 20
_FACTOR = 1.5
"""Of the true step, which is what is told of how far one can get."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = _parser().parse_args(argv)
    localizer = Localizer.open(args.data / "index")
    photos = sorted((args.data / "region" / "panoramas").glob("*.jpg"))
    strangers = sorted((args.data / "elsewhere" / "panoramas").glob("*.jpg"))
    places = [_place(photo) for photo in photos]
    answers = [localizer.localize(photo, GivenView(heading_deg=0.0), top_k=_FOUND) for photo in photos]
    useless = [localizer.localize(photo, GivenView(heading_deg=0.0), top_k=_FOUND) for photo in strangers]
    random = np.random.default_rng(args.seed)
    rows = [_route(random, places, answers, useless, args.frames, args.useless) for _ in range(args.routes)]
    record: dict[str, Any] = {"routes": args.routes, "frames": args.frames, "useless_share": args.useless}
    for way in ("alone", "together"):
        errors = np.concatenate([row[way] for row in rows])
        useful = np.concatenate([row[way][row["useful"]] for row in rows])
        record[way] = {
            "median_m": round(float(np.median(errors)), 1),
            "p90_m": round(float(np.percentile(errors, 90)), 1),
            "useful_median_m": round(float(np.median(useful)), 1),
            "useful_p90_m": round(float(np.percentile(useful, 90)), 1),
            "within_100_m": round(float(np.mean(errors <= 100)), 3),
        }
    print(record)
    print(write_record("track", record))
    return 0


def _route(
    random: np.random.Generator,
    places: Sequence[LatLon],
    answers: Sequence[Localization],
    useless: Sequence[Localization],
    frames: int,
    share: float,
) -> dict[str, Any]:
    way = _walk(random, places, frames)
    steps = [great_circle_m(places[a], places[b]) for a, b in pairwise(way)]
    useful = random.random(frames) >= share
    seen = [
        answers[at] if good else useless[int(random.integers(len(useless)))]
        for at, good in zip(way, useful, strict=True)
    ]
    tile_m = tile_side_m(seen[0])
    points = find_track([candidates_of(one) for one in seen], reach_m=[_FACTOR * step for step in steps], tile_m=tile_m)
    truth = [places[at] for at in way]
    return {
        "alone": np.array([great_circle_m(one.position.centre, true) for one, true in zip(seen, truth, strict=True)]),
        "together": np.array([great_circle_m(one.place, true) for one, true in zip(points, truth, strict=True)]),
        "useful": useful,
    }


def _walk(random: np.random.Generator, places: Sequence[LatLon], frames: int) -> list[int]:
    """Numbers of places, each the nearest of those not yet visited."""
    way = [int(random.integers(len(places)))]
    left = set(range(len(places))) - set(way)
    while len(way) < frames:
        here = places[way[-1]]
        way.append(min(left, key=lambda number: great_circle_m(here, places[number])))
        left.discard(way[-1])
    return way


def _place(photo: Path) -> LatLon:
    lat, lon = photo.stem.split("_")
    return LatLon(float(lat), float(lon))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_track", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, help="the demo's folder: index/, region/ and elsewhere/")
    add("--routes", type=int, default=50, help="routes (default %(default)s)")
    add("--frames", type=int, default=20, help="photos of each (default %(default)s)")
    add("--useless", type=float, default=0.2, help="share of photos from elsewhere (default %(default)s)")
    add("--seed", type=int, default=1, help="of the routes (default %(default)s)")
    add("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    return parser


if __name__ == "__main__":
    sys.exit(main())
