"""What benchmarks on a rendered region share: their options, and how well photos were placed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from model.common.geo import LatLon, great_circle_m
from model.data.pairs import PairSet

__all__ = ["placed", "region_options"]

_SAME_TILE_M = 1.0


def region_options(description: str | None, *, asked: str, count: int, searched: int) -> argparse.Namespace:
    """Read the command line.

    Args:
        description: docstring of the benchmark; its first line is shown.
        asked: name of what is counted, in the plural; an option.
        count: how many of them by default.
        searched: how many of those, by default, with unknown headings.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0] if description else "")
    parser.add_argument("--region", type=Path, required=True, help="folder that `model render region` drew")
    parser.add_argument("--checkpoint", default="demo", help="bundle folder, or the name of a packaged one")
    parser.add_argument(f"--{asked}", type=int, default=count, help="how many (default: %(default)s)")
    parser.add_argument(
        "--searched", type=int, default=searched, help="of them with unknown headings (default: %(default)s)"
    )
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    return parser.parse_args()


def placed(pairs: PairSet, answers: Iterable[tuple[int, LatLon, LatLon]]) -> dict[str, float]:
    """R@1, and how far the estimates are off.

    Args:
        pairs: the region's, each query with its place and one right tile.
        answers: number of the query, centre of the best tile, and estimate.
    """
    right, errors_m = [], []
    for row, best, estimate in answers:
        tile, place = pairs.references[int(pairs.positives[row])].location, pairs.queries[row].location
        assert tile is not None
        assert place is not None
        right.append(great_circle_m(tile, best) < _SAME_TILE_M)
        errors_m.append(great_circle_m(place, estimate))
    return {
        "recall_at_1": round(float(np.mean(right)), 4),
        "median_m": round(float(np.median(errors_m)), 1),
        "p90_m": round(float(np.quantile(errors_m, 0.9)), 1),
    }
