"""What an index loses and costs in Milvus, beside the exact folder that it was published from.

Vectors lie around 500 centres that have nothing to do with their places, which is hard for lists under an area; queries
are vectors turned by noise. Recall counts the ten exact answers.

    python -m benchmarks.bench_milvus                                      # Milvus Lite, in a file
    python -m benchmarks.bench_milvus --server milvus://127.0.0.1:19530    # a server
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_lifecycle import square
from benchmarks.record import write_record
from indexer.confidence.calibration import Calibrations
from indexer.index.search_spec import SearchSpec
from indexer.index.searchable import SearchableIndex
from indexer.index.segment_writer import MadeBy, VectorWriter, finish_segment
from indexer.index.tile_index import TileIndex
from indexer.milvus.address import MilvusAddress, parse_milvus
from indexer.milvus.connection import Connection
from indexer.milvus.milvus_index import MilvusIndex
from indexer.milvus.publish import publish_index, search_way
from indexer.milvus.recall import recall_of, turned_vectors
from indexer.tiles.region import BoxRegion, CircleRegion, Region
from model.common.geo import Bounds, great_circle_m

KINDS = ("FLAT", "IVF_FLAT", "HNSW")
_CENTRES, _SPREAD = 500, 0.8
_TOP_K = 10


def main() -> None:
    """Measure, print, write `results/milvus.json` or `results/milvus-server.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tiles", type=int, default=20_000, help="number of tiles (default 20,000)")
    parser.add_argument("--dim", type=int, default=256, help="length of a vector (default 256)")
    parser.add_argument("--queries", type=int, default=50, help="queries of each area (default 50)")
    parser.add_argument("--server", help="milvus://HOST:PORT of a server; without it a file of Milvus Lite")
    parser.add_argument("--beside", default="", help="what else the machine did")
    args = parser.parse_args()
    result: dict[str, Any] = {"tiles": args.tiles, "dim": args.dim, "queries": args.queries, "beside": args.beside}
    result["versions"] = {name: version(name) for name in ("pymilvus", "milvus-lite")}
    if args.server:
        connection = Connection(where(args.server, "", "FLAT"))
        result["versions"]["server"] = str(connection.call("get_server_version"))
        connection.close()
    with tempfile.TemporaryDirectory() as scratch:
        folder = write_clustered(Path(scratch) / "index", args.tiles, args.dim)
        exact = TileIndex.open(folder, exact=True)
        result["folder"] = {name: {"ms": ms(exact, exact, area, args.queries)} for name, area in areas(exact)}
        for kind in KINDS:
            address = where(args.server, scratch, kind)
            result[kind] = measured(exact, address, kind, args.queries)
            print(kind, json.dumps(result[kind]))
    print(write_record("milvus-server" if args.server else "milvus", result))


def where(server: str | None, scratch: str, kind: str) -> MilvusAddress:
    """A collection for each kind."""
    name = f"bench_{kind.lower()}"
    return parse_milvus(f"{server}/{name}?timeout_s=120" if server else f"milvus://{scratch}/{name}.db#{name}")


def write_clustered(folder: Path, count: int, dim: int) -> Path:
    """An index of tiles side by side, without pictures."""
    folder.mkdir()
    rng, tiles = np.random.default_rng(0), square(count)
    centres = rng.standard_normal((_CENTRES, dim), dtype=np.float32)
    vectors = centres[rng.integers(_CENTRES, size=count)] + _SPREAD * rng.standard_normal((count, dim), np.float32)
    with VectorWriter(folder, (count, dim)) as writer:
        writer.write((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16))
    made_by = MadeBy({"name": "none", "digest": "0" * 64}, dim, [(0.0, 0.0)])
    source, search = {"kind": "folder", "path": "none"}, SearchSpec(latency_ms=1e9)
    finish_segment(folder, tiles, made_by, search=search, source=source, counts={"listed": count})
    return folder


def areas(index: TileIndex) -> Iterator[tuple[str, Region | None]]:
    """Boxes of a share of the tiles, around the middle, and a circle of one per cent."""
    yield "everywhere", None
    west, south, east, north = index.bounds.as_tuple()
    middle = index.bounds.centre
    for name, share in (("box 10 %", 0.1), ("box 1 %", 0.01), ("box 0.1 %", 0.001)):
        side = 0.5 * share**0.5
        across, up = side * (east - west), side * (north - south)
        yield name, BoxRegion(Bounds(middle.lon - across, middle.lat - up, middle.lon + across, middle.lat + up))
    width_m = great_circle_m(type(middle)(middle.lat, west), type(middle)(middle.lat, east))
    yield "circle 1 %", CircleRegion(middle, width_m * (0.01 / np.pi) ** 0.5)


def measured(exact: TileIndex, address: MilvusAddress, kind: str, count: int) -> dict[str, Any]:
    """Seconds of publishing, and of each area recall and milliseconds of a query."""
    began = time.perf_counter()
    publish_index(exact, address, way=search_way(kind, exact.count), calibrations=Calibrations(), replacing=True)
    found: dict[str, Any] = {"publish_s": round(time.perf_counter() - began, 1)}
    index = MilvusIndex.open(address)
    try:
        for name, area in areas(exact):
            queries = turned_vectors(exact, count, seed=1)
            recall = recall_of(index, exact, queries, region=area)
            found[name] = {"recall": round(recall, 3), "ms": ms(index, exact, area, count)}
    finally:
        index.close()
    return found


def ms(index: SearchableIndex, exact: TileIndex, area: Region | None, count: int) -> float:
    """Median milliseconds of a query, one at a time."""
    spent = []
    for query in turned_vectors(exact, min(count, 20), seed=2):
        began = time.perf_counter()
        index.search(query[None], top_k=_TOP_K, region=area)
        spent.append(1e3 * (time.perf_counter() - began))
    return round(statistics.median(spent), 2)


if __name__ == "__main__":
    main()
