"""A checkpoint on real pairs of a panorama and a tile, alone and among further real tiles.

    python -m benchmarks.bench_real --data FOLDER --distractors FOLDER --checkpoint demo

FOLDER holds `street/` and `satellite/` (see `benchmarks.real_pairs`). Two questions: where the right tile stands in the
gallery; and, given the right tile, whether the true heading scores higher than 15 others, 22.5 degrees apart. Few
pairs say little, so every number has a bootstrap interval over the pairs. Writes `results/NAME.json`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_pairs import Pair, find_pairs, find_tiles, read_canvas, read_tile
from benchmarks.real_sheet import save_sheet
from benchmarks.record import write_record
from model.common.errors import GeoLocalizationError
from model.evaluation.metrics import rank_interval
from model.evaluation.ranking import best_over_copies
from model.inputs.transforms import roll_to_north
from model.network.encoder import Encoder
from model.network.specs import DEFAULT_CHECKPOINT

__all__ = ["HEADINGS", "RealScores", "interval", "measure", "score_real", "summarise"]

HEADINGS = 16
"""Headings that are tried with the right tile, the true one among them."""

_RESAMPLES = 10_000
_BATCH = 64
_Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class RealScores:
    """What an encoder says of real pairs.

    Attributes:
        gallery: scores[query, tile], float32 [Q, Q + D]; the first Q tiles are the pairs', then distractors.
        headings: scores[query, heading] of its own tile, float32 [Q, 16]; column 0 is the true heading.
    """

    gallery: NDArray[np.float32]
    headings: NDArray[np.float32]


def score_real(
    encoder: Encoder, pairs: list[Pair], distractors: list[Path], *, middle: float = 1.0, horizon_deg: float = 0.0
) -> RealScores:
    """Embed everything and compare; of distractors the middle share is shown."""
    inputs = encoder.inputs
    canvases = np.stack([read_canvas(pair.street, inputs, horizon_deg=horizon_deg) for pair in pairs])
    tiles = [read_tile(pair.satellite, inputs) for pair in pairs]
    tiles += [read_tile(path, inputs, middle=middle) for path in distractors]
    references = _embedded(encoder.encode_satellite, np.stack(tiles))
    turned = [roll_to_north(canvases, turn * 360.0 / HEADINGS) for turn in range(HEADINGS)]
    vectors = np.stack([_embedded(encoder.encode_ground, canvas) for canvas in turned], axis=1)  # [Q, 16, dim]
    gallery, _ = best_over_copies(vectors[:, :1], references)
    headings = [
        best_over_copies(vectors[row][:, None], references[row : row + 1])[0][:, 0] for row in range(len(pairs))
    ]
    return RealScores(gallery, np.stack(headings))


def measure(scores: RealScores) -> dict[str, Any]:
    """The table: among the pairs' own tiles, among all tiles, and headings; percent, ties counted against."""
    count = len(scores.gallery)
    table = {f"gallery of {count}": summarise(_ranks(scores.gallery[:, :count]), count)}
    if scores.gallery.shape[1] > count:
        table[f"gallery of {scores.gallery.shape[1]}"] = summarise(_ranks(scores.gallery), scores.gallery.shape[1])
    rivals = np.array([_rank(row, 0) for row in scores.headings])
    opposite = scores.headings[:, HEADINGS // 2] >= scores.headings.max(axis=1)
    table["heading"] = {
        f"true first of {HEADINGS}": interval(100.0 * (rivals == 0), np.mean),
        "opposite first": interval(100.0 * opposite, np.mean),
        "mean reciprocal rank": interval(1.0 / (rivals + 1), np.mean),
    }
    return table


def summarise(ranks: NDArray[np.int64], gallery: int) -> dict[str, Any]:
    """R@1, R@5, mean reciprocal rank and median percentile of ranks that count from 0."""
    percentile = 100.0 * (1.0 - ranks / max(1, gallery - 1))
    return {
        "recall@1": interval(100.0 * (ranks < 1), np.mean),
        "recall@5": interval(100.0 * (ranks < 5), np.mean),
        "mean reciprocal rank": interval(1.0 / (ranks + 1), np.mean),
        "median percentile": interval(percentile, np.median),
        "ranks": (ranks + 1).tolist(),
    }


def interval(values: _Floats, statistic: Callable[..., Any]) -> list[float]:
    """The statistic, and its 95 % bootstrap interval over the values."""
    rows = np.random.default_rng(0).integers(0, len(values), (_RESAMPLES, len(values)))
    low, high = np.percentile(statistic(values[rows], axis=1), [2.5, 97.5])
    return [round(float(value), 4) for value in (statistic(values), low, high)]


def _ranks(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.array([_rank(row, number) for number, row in enumerate(scores)])


def _rank(scores: NDArray[np.float32], own: int) -> int:
    """How many rivals stand before the right one or beside it."""
    return int(rank_interval(scores, np.array([own])).interval[1])


def _embedded(encode: Callable[[NDArray[np.uint8]], NDArray[np.float32]], pixels: NDArray[np.uint8]) -> _Floats:
    return np.concatenate([encode(pixels[start : start + _BATCH]) for start in range(0, len(pixels), _BATCH)])


def main() -> int:
    """Measure, print, record; a sheet of pictures where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with street/ and satellite/")
    parser.add_argument("--distractors", type=Path, help="folder of further tiles, JPEG, PNG, WebP or TIFF")
    parser.add_argument("--pattern", default="*", help="which of their names (default: %(default)s)")
    parser.add_argument("--middle", type=float, default=0.75, help="share of a distractor's side that is shown")
    parser.add_argument("--horizon-deg", type=float, default=0.0, help="horizon below the panoramas' middle row")
    parser.add_argument("--anchors", type=int, help="points along each axis of a tile, in place of the checkpoint's")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT, help="bundle folder, or the name of a packaged one")
    parser.add_argument("--sheet", type=Path, help="also draw each panorama beside its best tiles here; do not publish")
    parser.add_argument("--name", default="real", help="of the record (default: %(default)s)")
    args = parser.parse_args()
    try:
        pairs = find_pairs(args.data)
        distractors = find_tiles(args.distractors, args.pattern) if args.distractors else []
        encoder = Encoder.load(args.checkpoint, anchors=args.anchors)
        scores = score_real(encoder, pairs, distractors, middle=args.middle, horizon_deg=args.horizon_deg)
    except (GeoLocalizationError, OSError) as error:
        print(f"bench_real: {error}", file=sys.stderr)
        return 1
    table = measure(scores)
    _print(table)
    if args.sheet:
        save_sheet(args.sheet, pairs, distractors, scores.gallery)
    checkpoint = {"name": encoder.name, "digest": encoder.digest, "anchors": encoder.inputs.anchors**2}
    print(write_record(args.name, {"checkpoint": checkpoint, "pairs": len(pairs), "table": table}))
    return 0


def _print(table: dict[str, Any]) -> None:
    for part, row in table.items():
        cells = (f"{key} {v[0]:.3g} [{v[1]:.3g}, {v[2]:.3g}]" for key, v in row.items() if key != "ranks")
        print(f"{part:18} {'   '.join(cells)}")


if __name__ == "__main__":
    raise SystemExit(main())
