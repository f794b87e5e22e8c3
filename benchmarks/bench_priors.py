"""What an area costs, and what it costs to search tiles of many vectors: processor time of one thread.

Areas: finding the rows of a box, and of the circle inside it, among a million tiles of zoom 18. Tiles: the best ones by
asking for all the vectors that they could need, and by asking for a few and for more where those do not decide.

    python -m benchmarks.bench_priors
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from benchmarks.bench_lifecycle import median_ms, row_times
from benchmarks.record import write_record
from indexer.index.exact_search import ExactScan
from indexer.index.tile_search import best_tiles
from indexer.index.zones import ZoneMap, best_anchors
from indexer.tiles.tile_table import grid_table

_DIM, _PER_TILE = 64, 49


def main() -> None:
    """Measure, print, write `results/priors.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--side", type=int, default=1000, help="tiles along each side of the area (default 1000)")
    parser.add_argument("--tiles", type=int, default=20_000, help="tiles of 49 vectors (default 20000)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each measurement (default 15)")
    args = parser.parse_args()
    result = {"areas_ms": areas(args.side, args.rounds), "tiles_ms": tiles(args.tiles, args.rounds)}
    for name, times in result.items():
        for case, each in times.items():
            print(f"{name:10} {case:24} {each}")
    print(write_record("priors", {"tiles_of_areas": args.side**2, "tiles_of_vectors": args.tiles, **result}))


def areas(side: int, rounds: int) -> dict[str, dict[str, float]]:
    """By the box's share of all."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(side) + 134_000, np.arange(side) + 91_000))
    table = grid_table(np.stack([np.full(len(x), 18), x, y], axis=1), ["tiles"] * len(x))
    table = table.take(np.argsort(table.curve_keys, kind="stable"))
    return row_times(ZoneMap(table), table.bounds, rounds)


def tiles(count: int, rounds: int) -> dict[str, dict[str, float]]:
    """By number of queries and of tiles wanted: vectors of one tile are as alike as those of the demo (cosine 0.8)."""
    rng = np.random.default_rng(0)
    middles = np.repeat(rng.standard_normal((count, _DIM), dtype=np.float32), _PER_TILE, axis=0)
    vectors = middles + 0.5 * rng.standard_normal(middles.shape, dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = vectors[:: len(vectors) // 24][:24] + np.float32(0.1) * rng.standard_normal((24, _DIM), dtype=np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    scan, runs = ExactScan(vectors.astype(np.float16), threads=1), np.array([[0, len(vectors)]])
    found: dict[str, dict[str, float]] = {}
    for asked, top_k in ((1, 10), (24, 10), (24, 100)):
        part = queries[:asked]

        def all_needed(part: Any = part, top_k: int = top_k) -> list[Any]:
            answers = scan.search(part, runs, top_k=top_k * _PER_TILE)
            return [best_anchors(*one, _PER_TILE, top_k)[0].tolist() for one in answers]

        def few_first(part: Any = part, top_k: int = top_k) -> list[Any]:
            answers = best_tiles(scan, part, runs, per_tile=_PER_TILE, top_k=top_k)
            return [best_anchors(*one, _PER_TILE, top_k)[0].tolist() for one in answers]

        assert all_needed() == few_first()
        found[f"{asked} photos, {top_k} tiles"] = {
            name: median_ms(call, rounds, time.process_time)
            for name, call in (("all vectors", all_needed), ("few first", few_first))
        }
    scan.close()
    return found


if __name__ == "__main__":
    main()
