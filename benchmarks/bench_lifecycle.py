"""What an index of a million tiles costs to open, to hold, to search by area, and to add one per cent to.

Vectors are random unit vectors, places a full square of zoom 18; so times and bytes are measured, no recall.

    python -m benchmarks.bench_lifecycle --tiles 1000000
    python -m benchmarks.bench_lifecycle --tiles 10000000 --only-opening
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.record import write_record
from indexer.index.geoparquet import write_tiles
from indexer.index.index_manifest import IndexManifest
from indexer.index.manifest import MANIFEST
from indexer.index.origins import DIGEST_BYTES, Origins
from indexer.index.search_spec import SearchChange, SearchSpec
from indexer.index.segment_writer import MadeBy, VectorWriter, finish_segment
from indexer.index.tile_index import TileIndex
from indexer.index.zones import ZoneMap
from indexer.lifecycle.change import changing
from indexer.lifecycle.compact import compact_index
from indexer.lifecycle.remove import remove_tiles
from indexer.tiles.region import BoxRegion, CircleRegion
from indexer.tiles.tile_table import TileTable, grid_table
from model.common.geo import Bounds, LatLon

ZOOM, LEFT, TOP = 18, 137_000, 91_000
OPENING = """
import json, sys, time
from pathlib import Path
import numpy, pyarrow.parquet
from indexer.index.geoparquet import read_tiles
from indexer.index.zones import ZoneMap
def held():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("RssAnon:")[1].split()[0])
few = read_tiles(Path(sys.argv[1]) / "few.parquet")  # what the libraries take once for all
ZoneMap(few)
del few
before, began = held(), time.process_time()
tiles = read_tiles(Path(sys.argv[1]) / "tiles.parquet")
zones = ZoneMap(tiles)
table_cpu_s = time.process_time() - began
tiles.record(len(tiles) // 2)
table = held() - before
from indexer.index.tile_index import TileIndex
from indexer.index.zones import ZoneMap
began = time.perf_counter()
index = TileIndex.open(Path(sys.argv[1]))
opening = {"seconds": round(time.perf_counter() - began, 2), "processor_seconds_of_the_table": round(table_cpu_s, 2)}
print(json.dumps({"bytes_a_tile": round(table / len(tiles), 1), **opening}))
index.close()
"""


def main() -> None:
    """Measure, print, write `results/lifecycle.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tiles", type=int, default=1_000_000, help="number of tiles (default 1,000,000)")
    parser.add_argument("--dim", type=int, default=64, help="length of the vectors (default 64)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each search (default 5)")
    parser.add_argument("--only-opening", action="store_true", help="measure that alone; write results/opening.json")
    args = parser.parse_args()
    if args.only_opening:
        _only_opening(args.tiles, args.dim, args.rounds)
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        folder, added = Path(scratch) / "index", args.tiles // 100
        began = time.perf_counter()
        write_segment(folder, square(args.tiles), args.dim)
        rebuild_s = time.perf_counter() - began
        result = {
            "tiles": args.tiles,
            "dim": args.dim,
            "opening": opening(folder),
            "area_processor_ms": area_times(folder, args.rounds),
            "rebuild_without_embedding_s": rebuild_s,
            "add_1_percent_without_embedding_s": timed(lambda: add(folder, square(added, row=2_000), args.dim)),
        }
        result["exact_ms"] = {"whole": search_ms(folder, args.rounds)}
        result["remove_1_percent_s"] = timed(lambda: remove(folder, args.tiles))
        result["exact_ms"]["1 % removed in one area"] = search_ms(folder, args.rounds)
        result["compact_s"] = timed(lambda: compact(folder))
        result["exact_ms"]["compacted"] = search_ms(folder, args.rounds)
    print(json.dumps(result, indent=2))
    print(write_record("lifecycle", result))


def _only_opening(count: int, dim: int, rounds: int) -> None:
    """Each time by a process of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        folder = Path(scratch) / "index"
        write_segment(folder, square(count), dim)
        found = [opening(folder) for _ in range(rounds)]
    result = {"tiles": count, "dim": dim} | {name: [one[name] for one in found] for name in found[0]}
    print(json.dumps(result, indent=2))
    print(write_record("opening", result))


def opening(folder: Path) -> dict[str, float]:
    """What a process of its own takes to open the index, and to hold the table of its tiles."""
    write_tiles(folder / "few.parquet", square(100_000))
    found = subprocess.check_output([sys.executable, "-c", OPENING, str(folder)], text=True)
    (folder / "few.parquet").unlink()
    return dict(json.loads(found))


def square(count: int, row: int = 0) -> TileTable:
    """Tiles side by side, about as many rows as columns, along the curve."""
    side = int(np.ceil(np.sqrt(count)))
    down, across = np.divmod(np.arange(count), side)
    zxy = np.stack([np.full(count, ZOOM), LEFT + across, TOP + row + down], axis=1)
    table = grid_table(zxy, [f"{ZOOM}/{x}/{y}.png" for _, x, y in zxy.tolist()])
    return table.take(np.argsort(table.curve_keys))


def write_segment(folder: Path, tiles: TileTable, dim: int) -> None:
    """All of a build but reading and embedding."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    with VectorWriter(folder, (len(tiles), dim)) as writer:
        for start in range(0, len(tiles), 65_536):
            vectors = rng.standard_normal((min(65_536, len(tiles) - start), dim), dtype=np.float32)
            writer.write((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16))
    made_by = MadeBy({"name": "none", "digest": "0" * 64}, dim, [(0.0, 0.0)])
    source, search = {"kind": "folder", "path": "none"}, SearchSpec(latency_ms=1e9)
    pictures = rng.integers(0, 256, (len(tiles), DIGEST_BYTES), dtype=np.uint8)
    origins = Origins(np.full(len(tiles), 20_000, np.int64), pictures, np.zeros(len(tiles), np.int64))
    counts = {"listed": len(tiles)}
    finish_segment(folder, tiles, made_by, search=search, source=source, counts=counts, origins=origins)


def add(folder: Path, tiles: TileTable, dim: int) -> None:
    """A new segment, made true."""
    with changing(folder) as change:
        target = change.new_segment()
        write_segment(target, tiles, dim)
        change.publish(change.removed(), [target])


def remove(folder: Path, count: int) -> None:
    """One per cent, as one area."""
    bounds = IndexManifest.read(folder).bounds
    share = 0.1 * (bounds.east - bounds.west)
    south = bounds.north - 0.1 * (bounds.north - bounds.south)
    with changing(folder) as change:
        removed = remove_tiles(change, region=BoxRegion(Bounds(bounds.west, south, bounds.west + share, bounds.north)))
    assert removed > 0.005 * count


def compact(folder: Path) -> None:
    """All segments of the one source."""
    with changing(folder, verify=True) as change:
        compact_index(change, search=SearchChange(latency_ms=1e9))
    assert (folder / MANIFEST).exists()


def area_times(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """As `row_times`, of the first segment of an index."""
    index = TileIndex.open(folder)
    times = row_times(index.segments[0]._zones, index.manifest.bounds, rounds)
    index.close()
    return times


def row_times(zones: ZoneMap, bounds: Bounds, rounds: int) -> dict[str, dict[str, float]]:
    """Median processor ms to find the rows of a box and of the circle inside it, by the box's share of the area."""
    times = {}
    for share in (0.1, 0.01, 0.001, 0.0001):
        side = share**0.5
        centre = bounds.centre
        half_lon, half_lat = side * (bounds.east - bounds.west) / 2, side * (bounds.north - bounds.south) / 2
        box = BoxRegion(
            Bounds(centre.lon - half_lon, centre.lat - half_lat, centre.lon + half_lon, centre.lat + half_lat)
        )
        circle = CircleRegion(LatLon(centre.lat, centre.lon), half_lat * 111_195.0)
        times[f"{share:.2%}"] = {
            name: median_ms(lambda region=region: zones.runs(region), rounds, time.process_time)  # type: ignore[misc]
            for name, region in (("box", box), ("circle", circle))
        }
    return times


def search_ms(folder: Path, rounds: int) -> float:
    """Median ms of an exact search of everything."""
    index = TileIndex.open(folder)
    query = np.eye(1, index.dim, dtype=np.float32)
    found = median_ms(lambda: index.search(query, top_k=10), rounds)
    index.close()
    return found


def median_ms(call: Callable[[], object], rounds: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median of some calls, after one that is not counted."""
    call()
    return round(1000 * statistics.median(timed(call, clock) for _ in range(rounds)), 3)


def timed(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one call."""
    began = clock()
    call()
    return round(clock() - began, 6)


if __name__ == "__main__":
    main()
