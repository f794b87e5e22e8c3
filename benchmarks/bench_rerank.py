"""What a second look at the first 50 candidates brings, and what it costs.

    python -m benchmarks.bench_rerank --data runs/worlds/cross-area-KEY/pairs.csv --places 1623

Tiles of the world are described around the checkpoint's anchors, and around those half a step between them. Each
query's first 50 tiles are ranked again in several ways: by finer anchors around the best one, by all finer ones, by
how many anchors of a tile agree, by whether the tiles around it agree. Where an answer lies is taken from the best
anchor, from the anchors of the best tile, or fused from the tiles that agree. What has a temperature or a weight gets
the one that is best on the even queries; all that is reported comes from the odd ones. Writes `results/rerank.json`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import write_record
from indexer.confidence.features import BEST
from model.common.geo import great_circle_many_m
from model.data.manifest import read_manifest
from model.data.pairs import PairSet
from model.data.pictures import load_query, load_reference
from model.evaluation.protocol import QueryProtocol
from model.inputs.anchors import REACH, anchor_px, recentre
from model.network.encoder import Encoder
from model.synthetic.splits import TILE_M

_Floats = NDArray[np.float64]
_SHORTLIST = 50
_REACH_M = 1.1 * TILE_M
_TEMPERATURES = (0.005, 0.01, 0.02, 0.04)
_M_PER_DEG = 111_195.0
_BATCH = 64


@dataclass(frozen=True)
class Finer:
    """Anchors of twice the density; along an axis every second one, from the first on, is one of the index's.

    Attributes:
        anchors: of the index, along an axis.
    """

    anchors: int

    @property
    def count(self) -> int:
        """Along an axis."""
        return 2 * self.anchors - 1

    @property
    def step(self) -> float:
        """From one to the next, as a share of a tile's side."""
        return REACH / self.anchors

    def points(self) -> Iterator[tuple[int, int, tuple[float, float]]]:
        """Numbers south and east, and (east, south) from the tile's centre."""
        middle = self.count // 2
        for south, east in product(range(self.count), repeat=2):
            yield south, east, (self.step * (east - middle), self.step * (south - middle))


@dataclass(frozen=True)
class Asked:
    """Queries and how well every finer anchor of their first tiles matches.

    Attributes:
        finer: the anchors, F along an axis.
        rows: int64 [Q, 50] of the gallery, best first by the index's anchors.
        scores: float32 [Q, 50, F, F], south and east.
        right: int64 [Q] row of each query's own tile.
        places: float64 [Q, 2] true (lat, lon).
        tiles: float64 [R, 2] centres of the gallery.
    """

    finer: Finer
    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    right: NDArray[np.int64]
    places: _Floats
    tiles: _Floats

    @property
    def coarse(self) -> NDArray[np.float32]:
        """[Q, 50, N, N]: what an index of N anchors along an axis holds."""
        return self.scores[:, :, ::2, ::2]

    def half(self, odd: bool) -> Asked:
        """Every second query."""
        part = slice(int(odd), None, 2)
        return Asked(self.finer, self.rows[part], self.scores[part], self.right[part], self.places[part], self.tiles)


Answers = tuple[NDArray[np.int64], _Floats]
"""Rows of the best tiles [Q] and estimated (lat, lon) [Q, 2]."""


def main() -> None:
    """Embed, rank again, print, record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="pairs.csv of a rendered split of the world")
    parser.add_argument("--checkpoint", default="demo", help="bundle folder, or the name of a packaged one")
    parser.add_argument("--places", type=int, default=1_600, help="tiles (default: %(default)s)")
    parser.add_argument("--queries", type=int, default=1_600, help="photos of them (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="NumPy file for the tiles' vectors; taken from there if it exists")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    args = parser.parse_args()
    pairs, encoder = read_manifest(args.data), Encoder.load(args.checkpoint, anchors=1)
    places, finer = min(args.places, len(pairs.references)), Finer(Encoder.load(args.checkpoint).inputs.anchors)
    if finer.anchors == 1:
        parser.error(f"{args.checkpoint} describes a tile by one vector, so there is nothing between its anchors")
    gallery = _gallery(encoder, finer, pairs, places, args.keep)
    result: dict[str, Any] = {
        "checkpoint": args.checkpoint,
        "anchors": finer.anchors,
        "places": places,
        "beside": args.beside,
        "ways": {},
    }
    for name, fov_deg in (("panorama", 360.0), ("90 degrees", 90.0)):
        asked = _ask(encoder, finer, pairs, gallery, QueryProtocol(fov_deg=fov_deg), args.queries)
        result["ways"][name] = measured = _measure(asked)
        for way, worth in measured.items():
            print(f"{name:11} {way:44} {worth}", flush=True)
    result["cost"] = _cost(encoder, finer, pairs)
    print(result["cost"])
    print(write_record("rerank", result))


def _gallery(encoder: Encoder, finer: Finer, pairs: PairSet, places: int, kept: Path | None) -> NDArray[np.float16]:
    """[R, F, F, D]: every tile around every finer anchor."""
    along = finer.count
    if kept is not None and kept.exists():
        stored: NDArray[np.float16] = np.load(kept, mmap_mode="r")
        return stored.reshape(-1, along, along, encoder.dim)[:places]
    tiles = np.stack([load_reference(one, encoder.inputs) for one in pairs.references[:places]])
    vectors = np.empty((places, along, along, encoder.dim), np.float16)
    for south, east, point in finer.points():
        moved = recentre(tiles, *anchor_px(point, encoder.inputs.satellite_px))
        for start in range(0, places, _BATCH):
            vectors[start : start + _BATCH, south, east] = encoder.encode_satellite(moved[start : start + _BATCH])
    if kept is not None:
        np.save(kept, vectors)
    return vectors


def _ask(
    encoder: Encoder,
    finer: Finer,
    pairs: PairSet,
    gallery: NDArray[np.float16],
    protocol: QueryProtocol,
    asked: int,
) -> Asked:
    places, along = len(gallery), finer.count
    known = [number for number in range(len(pairs.queries)) if pairs.positives[number] < places]
    chosen = [known[at * len(known) // asked] for at in range(min(asked, len(known)))]
    flat = gallery.astype(np.float32).reshape(-1, encoder.dim)
    rows = np.empty((len(chosen), _SHORTLIST), np.int64)
    scores = np.empty((len(chosen), _SHORTLIST, along, along), np.float32)
    for start in range(0, len(chosen), _BATCH):
        block = [(pairs.queries[number], number) for number in chosen[start : start + _BATCH]]
        canvases = [protocol.ask(load_query(query, encoder.inputs), query, number).canvas for query, number in block]
        all_scores = (encoder.encode_ground(np.stack(canvases)) @ flat.T).reshape(-1, places, along, along)
        best = all_scores[:, :, ::2, ::2].max(axis=(2, 3))
        first = np.argsort(-best, axis=1, kind="stable")[:, :_SHORTLIST]
        rows[start : start + _BATCH] = first
        scores[start : start + _BATCH] = np.take_along_axis(all_scores, first[:, :, None, None], axis=1)
    return Asked(
        finer,
        rows,
        scores,
        pairs.positives[chosen],
        _degrees([pairs.queries[number].location for number in chosen]),
        _degrees([one.location for one in pairs.references[:places]]),
    )


def _degrees(places: Sequence[Any]) -> _Floats:
    return np.array([(place.lat, place.lon) for place in places], np.float64)


def _measure(asked: Asked) -> dict[str, Any]:
    """Each way, with what suits the even queries, measured on the odd ones."""
    tuned, told = asked.half(odd=False), asked.half(odd=True)
    result = {}
    for name, (way, values) in _WAYS.items():
        value = min(values, key=lambda one: _cost_of(_worth(tuned, way(tuned, one))))
        result[name] = _worth(told, way(told, value)) | {"value": value}
    return result


def _cost_of(worth: dict[str, float]) -> tuple[float, float]:
    return -worth["recall_at_1"], worth["mean_log_m"]


def _worth(asked: Asked, answers: Answers) -> dict[str, float]:
    rows, places = answers
    errors_m = great_circle_many_m(places[:, 0], places[:, 1], asked.places[:, 0], asked.places[:, 1])
    return {
        "queries": len(rows),
        "recall_at_1": round(100 * float(np.mean(rows == asked.right)), 2),
        "median_m": round(float(np.median(errors_m)), 1),
        "p90_m": round(float(np.quantile(errors_m, 0.9)), 1),
        "mean_log_m": round(float(np.mean(np.log1p(errors_m))), 4),
    }


def _at_points(asked: Asked, best: NDArray[np.int64], scores: NDArray[np.float32], temperature: float = 0.0) -> Answers:
    """The chosen tiles [Q], and the best anchor of each or, with a temperature, the weighted mean of its anchors."""
    queries = np.arange(len(best))
    each = scores[queries, best]
    reach_m = asked.finer.step * (asked.finer.count // 2) * TILE_M
    along_m = np.linspace(-reach_m, reach_m, each.shape[-1])
    flat = each.reshape(len(best), -1)
    weights = np.zeros_like(flat)
    if temperature:
        weights = np.exp((flat - flat.max(axis=1, keepdims=True)) / temperature)
    else:
        weights[queries, flat.argmax(axis=1)] = 1.0
    weights = (weights / weights.sum(axis=1, keepdims=True)).reshape(each.shape)
    rows = asked.rows[queries, best]
    lat, lon = asked.tiles[rows].T
    south_m, east_m = weights.sum(axis=2) @ along_m, weights.sum(axis=1) @ along_m
    metres_east = _M_PER_DEG * np.cos(np.radians(lat))
    return rows, np.stack([lat - south_m / _M_PER_DEG, lon + east_m / metres_east], axis=1)


def _index_alone(asked: Asked, _: float) -> Answers:
    return _at_points(asked, np.zeros(len(asked.rows), np.int64), asked.coarse)


def _mean_of_anchors(asked: Asked, temperature: float) -> Answers:
    return _at_points(asked, np.zeros(len(asked.rows), np.int64), asked.coarse, temperature)


def _near(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Only the finer anchors within a step of each tile's best coarse one; the others are out of the question."""
    coarse = scores[..., ::2, ::2]
    best = coarse.reshape(*coarse.shape[:2], -1).argmax(axis=2)
    south, east = 2 * (best // coarse.shape[-1]), 2 * (best % coarse.shape[-1])
    steps = np.arange(scores.shape[-1])
    near = (abs(steps - south[..., None]) <= 1)[..., :, None] & (abs(steps - east[..., None]) <= 1)[..., None, :]
    return np.where(near, scores, np.float32(-2.0))


def _finer_near_best(asked: Asked, temperature: float) -> Answers:
    scores = _near(asked.scores)
    return _at_points(asked, scores.max(axis=(2, 3)).argmax(axis=1), scores, temperature)


def _all_finer(asked: Asked, temperature: float) -> Answers:
    return _at_points(asked, asked.scores.max(axis=(2, 3)).argmax(axis=1), asked.scores, temperature)


def _agreeing_anchors(asked: Asked, temperature: float) -> Answers:
    """A tile's score is the smooth maximum over its anchors, so that a ridge beats a spike."""
    return _at_points(asked, _smooth(asked.coarse, temperature).argmax(axis=1), asked.coarse, temperature)


def _agreeing_finer_anchors(asked: Asked, temperature: float) -> Answers:
    return _at_points(asked, _smooth(asked.scores, temperature).argmax(axis=1), asked.scores, temperature)


def _smooth(scores: NDArray[np.float32], temperature: float) -> _Floats:
    flat = scores.reshape(*scores.shape[:2], -1).astype(np.float64)
    top = flat.max(axis=2, keepdims=True)
    smooth: _Floats = top[..., 0] + temperature * np.log(np.exp((flat - top) / temperature).sum(axis=2))
    return smooth


def _agreeing_tiles(asked: Asked, share: float) -> Answers:
    """A tile's score, and a share of the best score within 1.1 tile sides of it."""
    best = asked.coarse.max(axis=(2, 3)).astype(np.float64)
    lat, lon = np.moveaxis(asked.tiles[asked.rows], 2, 0)
    apart_m = great_circle_many_m(lat[:, :, None], lon[:, :, None], lat[:, None], lon[:, None])
    beside = (apart_m <= _REACH_M) & (apart_m > 1.0)
    support = np.where(beside, best[:, None], best.min(axis=1)[:, None, None]).max(axis=2)
    return _at_points(asked, (best + share * support).argmax(axis=1), asked.coarse)


def _fused_tiles(asked: Asked, temperature: float) -> Answers:
    """As a calibration fuses: the best 20 points weigh each other, and where most comes together they are averaged."""
    rows, best = asked.rows, asked.coarse.max(axis=(2, 3)).astype(np.float64)
    points = np.stack([_at_points(asked, np.full(len(rows), k), asked.coarse)[1] for k in range(BEST)], axis=1)
    weights = np.exp((best[:, :BEST] - best[:, :1]) / temperature)
    lat, lon = np.moveaxis(points, 2, 0)
    near = great_circle_many_m(lat[:, :, None], lon[:, :, None], lat[:, None], lon[:, None]) <= _REACH_M
    chosen = (near @ weights[..., None])[..., 0].argmax(axis=1)
    queries = np.arange(len(rows))
    share = weights * near[queries, chosen]
    share /= share.sum(axis=1, keepdims=True)
    return rows[queries, chosen], (share[..., None] * points).sum(axis=1)


_Way = Callable[[Asked, float], Answers]
_WAYS: dict[str, tuple[_Way, tuple[float, ...]]] = {
    "the index alone, best anchor": (_index_alone, (0.0,)),
    "mean of the best tile's anchors": (_mean_of_anchors, _TEMPERATURES),
    "finer anchors around the best": (_finer_near_best, (0.0,)),
    "finer anchors around the best, their mean": (_finer_near_best, _TEMPERATURES),
    "all finer anchors": (_all_finer, (0.0,)),
    "all finer anchors, their mean": (_all_finer, _TEMPERATURES),
    "anchors that agree, their mean": (_agreeing_anchors, _TEMPERATURES),
    "finer anchors that agree, their mean": (_agreeing_finer_anchors, _TEMPERATURES),
    "tiles that agree": (_agreeing_tiles, (0.0, 0.05, 0.1, 0.2)),
    "tiles that agree, fused": (_fused_tiles, _TEMPERATURES),
}


def _cost(encoder: Encoder, finer: Finer, pairs: PairSet) -> dict[str, float]:
    """Processor milliseconds of a look at 50 tiles: to read and decode them, and for 8 finer anchors of each."""
    began = time.process_time()
    tiles = np.stack([load_reference(one, encoder.inputs) for one in pairs.references[:_SHORTLIST]])
    read_ms = 1000 * (time.process_time() - began)
    steps = (-finer.step, 0.0, finer.step)
    around = [(east, south) for south, east in product(steps, steps) if east or south]
    moved = np.concatenate([recentre(tiles, *anchor_px(point, encoder.inputs.satellite_px)) for point in around])
    rates = []
    for _ in range(3):
        began = time.process_time()
        for start in range(0, len(moved), _BATCH):
            encoder.encode_satellite(moved[start : start + _BATCH])
        rates.append(1000 * (time.process_time() - began))
    return {"tiles": _SHORTLIST, "anchors": len(around), "read_ms": round(read_ms), "embed_ms": round(min(rates))}


if __name__ == "__main__":
    main()
