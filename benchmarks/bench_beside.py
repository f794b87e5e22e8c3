"""Search of a large gallery in each of our recipes, beside FAISS, hnswlib and usearch: recall, time, memory, building.

The vectors are what the demo network makes of rendered tiles, repeated with the noise of another season; places are
given ones, jittered, or a square. Queries are panoramas: one half tunes every knob to recall@10 of `--target` or the
best it reaches, the other half is measured, against the exact scan. Each way is built and asked in processes of its
own, so that memory and times are its own; the ways follow each other.

    python -m benchmarks.bench_beside --size 200000 --sets world:val --embedded /var/tmp/embedded
    python -m benchmarks.bench_beside --anchors all --only exact lists --sets world:val --embedded /var/tmp/embedded
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench_lifecycle import square
from benchmarks.gallery import embed_sets, noisy_rows, season_likeness
from benchmarks.record import write_record
from benchmarks.rivals import RIVALS, open_rival
from indexer.index.ivf import size_of_lists
from indexer.index.search_spec import SearchSpec
from indexer.index.segment_writer import MadeBy, VectorWriter, finish_segment
from indexer.index.tile_index import TileIndex
from indexer.index.trial import Trial
from indexer.tiles.region import BoxRegion
from indexer.tiles.tile_table import TileTable, centres, texts
from model.common.geo import Bounds

_TOP = 10
_BLOCK = 16_384
_SHARES = (0.1, 0.01, 0.001, 0.0001)
_OURS = ("exact", "lists", "lists, tuned by noise", "lists, half the bytes")
_PLACE = re.compile(r"satellite_(-?[\d.]+)_(-?[\d.]+)\.png")


def main() -> None:
    """Measure each way, print, write `results/NAME.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--size", type=int, default=200_000, help="number of tiles (default 200,000)")
    parser.add_argument("--sets", nargs="+", default=["world:val"], help="data sets; the last has the queries")
    parser.add_argument(
        "--anchors", choices=("1", "all"), default="1", help="vectors of a tile: one, or as many as the bundle has"
    )
    parser.add_argument("--embedded", type=Path, required=True, help="folder that keeps the embeddings")
    parser.add_argument("--checkpoint", default="demo", help="bundle (default demo)")
    parser.add_argument("--positions", type=Path, help="folder of lists of names that tell places, as VIGOR's")
    parser.add_argument("--only", nargs="+", choices=[*_OURS, *RIVALS], help="some of the ways")
    parser.add_argument("--target", type=float, default=0.95, help="recall@10 to tune to (default 0.95)")
    parser.add_argument("--queries", type=int, default=400, help="of which half tune (default 400)")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="where the galleries are written")
    parser.add_argument("--name", default="search-beside", help="of the record")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(_CHILDREN[args.child[0]](args.child[1], Path(args.child[2]), args.target)))
        return
    with tempfile.TemporaryDirectory(dir=args.work) as scratch:
        folder = Path(scratch)
        about = prepare(folder, args)
        ways = {name: measure(name, folder, args.target) for name in args.only or [*_OURS, *RIVALS]}
    result = {"tiles": args.size, "target": args.target, "beside": args.beside, **about, "ways": ways}
    print(json.dumps(result, indent=2))
    print(write_record(args.name, result))


def prepare(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Write the gallery, the queries of both halves, and what the exact scan answers."""
    known = embed_sets(args.sets, args.checkpoint, args.embedded)
    likeness = season_likeness(args.sets[-1], args.checkpoint)
    table = places(args.positions, args.size) if args.positions else square(args.size)
    tiles = known.tiles
    if args.anchors == "1":
        tiles = tiles.reshape(-1, 1, tiles.shape[2])  # what lies around each anchor is a place of its own
    write_gallery(folder / "gallery.npy", tiles, args.size, likeness)
    np.savez(folder / "places.npz", **{name: getattr(table, name) for name in _EDGES}, names=len(table))
    rows = np.linspace(0, len(known.queries) - 1, min(args.queries, len(known.queries))).astype(np.int64)
    np.save(folder / "tuning.npy", known.queries[rows[::2]])
    np.save(folder / "asked.npy", known.queries[rows[1::2]])
    (folder / "per_tile").write_text(str(tiles.shape[1]))
    child("truth", "exact", folder, args.target)
    return {
        "base": {"sets": len(args.sets), "tiles": len(tiles), "vectors of a tile": int(tiles.shape[1])},
        "likeness of another season": round(likeness, 4),
        "queries": {"tuning": len(rows[::2]), "measured": len(rows[1::2])},
    }


_EDGES = ("west", "south", "east", "north")


def write_gallery(path: Path, tiles: NDArray[np.float16], count: int, likeness: float) -> None:
    """float16 [count, A * D]: the tiles in a random order, again and again, each time with noise of its own."""
    random = np.random.default_rng(5)
    shape = (count, tiles.shape[1] * tiles.shape[2])
    gallery = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    order = random.permutation(count) % len(tiles)
    for at in range(0, count, _BLOCK):
        own = tiles[order[at : at + _BLOCK]].astype(np.float32)
        flat = noisy_rows(own.reshape(-1, own.shape[2]), likeness, random)
        gallery[at : at + len(own)] = flat.reshape(len(own), -1)
    gallery.flush()


def places(folder: Path, count: int) -> TileTable:
    """Tiles of 75 m around the places that names tell, jittered by up to a tile's side, along the curve."""
    names = [name for path in sorted(folder.glob("*.txt")) for name in path.read_text().split()]
    known = np.array([found.groups() for name in names if (found := _PLACE.fullmatch(name))], np.float64)
    random = np.random.default_rng(6)
    lat, lon = known[np.arange(count) % len(known)].T + random.uniform(-0.0007, 0.0007, (2, count))
    half = 0.00034
    edges = (lon - half, lat - half, lon + half, lat + half)
    off_grid, zeros = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    ids = texts([f"tile-{number}" for number in range(count)])
    table = TileTable(ids, off_grid, off_grid, off_grid, *centres(*edges), *edges, ids, zeros, zeros)
    return table.take(np.argsort(table.curve_keys, kind="stable"))


def measure(name: str, folder: Path, target: float) -> dict[str, Any]:
    """Build one way, ask it, and delete it, so that the disk has to hold one at a time."""
    try:
        built = child("build", name, folder, target)
        return built | child("ask", name, folder, target)
    finally:
        out = folder / name
        shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)


def child(what: str, name: str, folder: Path, target: float) -> dict[str, Any]:
    """One step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench_beside", "--embedded", "x", "--target", str(target)]
    done = subprocess.run([*command, "--child", what, name, str(folder)], capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr else str(done.returncode)}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def build(name: str, folder: Path, target: float) -> dict[str, Any]:
    """Seconds, processor seconds, peak of memory and size on disk of building."""
    gallery, per_tile = _gallery(folder)
    began, processor = time.perf_counter(), time.process_time()
    out = folder / name
    with _Sampled("RssAnon") as own:
        if name in _OURS:
            _build_ours(name, out, gallery, per_tile, folder, target)
        else:
            open_rival(name).build(gallery.reshape(-1, gallery.shape[1] // per_tile), out)
    return {
        "build_s": round(time.perf_counter() - began, 1),
        "build_processor_s": round(time.process_time() - processor, 1),
        "build_peak_mb": round(own.peak_mb, 1),
        "build_peak_with_mapped_files_mb": round(_status_mb("VmHWM"), 1),
        "disk_mb": round(sum(one.stat().st_size for one in [out, *out.rglob("*")] if one.is_file()) / 1e6, 1),
    }


def _build_ours(name: str, out: Path, gallery: NDArray[np.float16], per_tile: int, folder: Path, target: float) -> None:
    dim = gallery.shape[1] // per_tile
    out.mkdir()
    with VectorWriter(out, (len(gallery), gallery.shape[1])) as writer:
        for at in range(0, len(gallery), _BLOCK):
            writer.write(gallery[at : at + _BLOCK])
    coarser = size_of_lists(len(gallery) * per_tile, dim, None) - 1  # what the finest codes do not fit
    memory = coarser if name == "lists, half the bytes" else None
    spec = SearchSpec(latency_ms=1e9 if name == "exact" else 0, target_recall=target, memory=memory)
    panoramas = Trial(np.load(folder / "tuning.npy"), "panoramas")
    made_by = MadeBy({"name": "none", "digest": "0" * 64}, dim, [(0.0, 0.0)] * per_tile)
    finish_segment(
        out, _table(folder), made_by, search=spec, source={"kind": "folder", "path": "none"},
        counts={"listed": len(gallery)}, trial=None if "noise" in name else lambda: panoramas,
    )  # fmt: skip


def ask(name: str, folder: Path, target: float) -> dict[str, Any]:
    """Time of opening; recall, milliseconds of a query and resident memory at the knob that the tuning half chose."""
    queries, truth = np.load(folder / "asked.npy"), np.load(folder / "asked-truth.npy")
    held, began = _held_mb(), time.perf_counter()
    if name in _OURS:
        index = TileIndex.open(folder / name)
        opened = time.perf_counter() - began
        index.search(queries[:1], top_k=_TOP)
        index.wait_until_checked()
        found, times, processor = _asked(lambda query: index.search(query[None], top_k=_TOP)[0].rows, queries)
        recipe = index.segments[0].manifest.search
        memory = _memory(held)
        more: dict[str, Any] = {"areas_processor_ms": _areas(index, queries)}
        if recipe.kind == "ivf":
            more |= {"codes": recipe.codes, "knob": recipe.probes, "tuned_recall_at_10": recipe.recall}
            more |= {"candidates": recipe.candidates}
            more |= {"curve": recipe.curve, "tuned_by": recipe.trial, "lists": recipe.lists}
    else:
        gallery, per_tile = _gallery(folder)
        assert per_tile == 1, "other libraries know no tiles of several vectors"
        rival = open_rival(name)
        rival.open(folder / name, *gallery.shape)
        opened = time.perf_counter() - began
        knob, reached = _tuned(rival, folder, target)
        found, times, processor = _asked(lambda query: rival.search(query, _TOP, knob), queries)
        memory = _memory(held)
        more = {"knob": knob, "tuned_recall_at_10": round(reached, 4)}
    both = [len(np.intersect1d(one, right)) / len(right) for one, right in zip(found, truth, strict=True)]
    return {
        "open_s": round(opened, 2),
        "recall_at_1": round(float(np.mean([one[0] == right[0] for one, right in zip(found, truth, strict=True)])), 4),
        "recall_at_10": round(float(np.mean(both)), 4),
        "p50_ms": round(float(np.median(times)) * 1e3, 2),
        "p99_ms": round(float(np.quantile(times, 0.99)) * 1e3, 2),
        "processor_ms": round(processor * 1e3, 3),
        **memory,
        **more,
    }


def truth(_: str, folder: Path, __: float) -> dict[str, Any]:
    """What the exact scan answers, by tile, computed with NumPy in float64 so that it is nobody's own."""
    gallery, per_tile = _gallery(folder)
    for half in ("tuning", "asked"):
        queries = np.load(folder / f"{half}.npy")
        near = _nearest(gallery, queries, per_tile)
        best = []
        for query, rows in zip(queries, near, strict=True):
            vectors = gallery[np.sort(rows)].astype(np.float64).reshape(len(rows), per_tile, -1)
            exact = (vectors @ query.astype(np.float64)).max(axis=1)
            best.append(np.sort(rows)[np.lexsort((np.sort(rows), -exact))[:_TOP]])
        np.save(folder / f"{half}-truth.npy", np.stack(best))
    return {}


def _nearest(gallery: NDArray[np.float16], queries: NDArray[np.float32], per_tile: int) -> NDArray[np.int64]:
    """int64 [Q, 4 * 10]: the tiles that are best in float32, a block of the gallery at a time."""
    kept = np.empty((len(queries), 0), np.int64)
    best = np.empty((len(queries), 0), np.float32)
    for at in range(0, len(gallery), _BLOCK):
        block = gallery[at : at + _BLOCK].astype(np.float32)
        scores = (block.reshape(len(block), per_tile, -1) @ queries.T).max(axis=1).T
        rows = np.broadcast_to(np.arange(at, at + len(block)), scores.shape)
        kept, best = np.concatenate([kept, rows], axis=1), np.concatenate([best, scores], axis=1)
        last = min(4 * _TOP, best.shape[1]) - 1
        chosen = np.argpartition(-best, last, axis=1)[:, : last + 1]
        kept, best = np.take_along_axis(kept, chosen, axis=1), np.take_along_axis(best, chosen, axis=1)
    return kept


def _tuned(rival: Any, folder: Path, target: float) -> tuple[int, float]:
    """The least knob that reaches the recall on the tuning half, or the greatest."""
    queries, truth = np.load(folder / "tuning.npy"), np.load(folder / "tuning-truth.npy")
    reached = 0.0
    for knob in rival.knobs:
        found = [rival.search(query, _TOP, knob) for query in queries]
        hits = [len(np.intersect1d(one, right)) / _TOP for one, right in zip(found, truth, strict=True)]
        reached = float(np.mean(hits))
        if reached >= target:
            break
    return knob, reached


def _asked(
    search: Callable[[NDArray[np.float32]], NDArray[np.int64]], queries: NDArray[np.float32]
) -> tuple[list[NDArray[np.int64]], list[float], float]:
    """Answers and seconds of each query, one after the other, after all of them once; and mean processor seconds."""
    found = [search(query) for query in queries]
    times, before = [], time.process_time()
    for query in queries:
        began = time.perf_counter()
        search(query)
        times.append(time.perf_counter() - began)
    return found, times, (time.process_time() - before) / len(queries)


def _in_area(index: TileIndex, area: BoxRegion, query: NDArray[np.float32]) -> NDArray[np.int64]:
    return index.search(query[None], top_k=_TOP, region=area)[0].rows


def _areas(index: TileIndex, queries: NDArray[np.float32]) -> dict[str, float]:
    """Mean milliseconds of processor of a search in boxes of some shares of the tiles, exact in every recipe."""
    tiles, found = index.tiles, {}
    middle = len(tiles) // 2
    lat, lon = float(tiles.lat[middle]), float(tiles.lon[middle])
    away = np.maximum(np.abs(tiles.lat - lat), np.abs(tiles.lon - lon))
    for share in _SHARES:
        half = float(np.quantile(away, share))
        box = BoxRegion(Bounds(lon - half, lat - half, lon + half, lat + half))
        _, _, processor = _asked(partial(_in_area, index, box), queries)
        found[f"{share:.2%}"] = round(processor * 1e3, 3)
    return found


def _gallery(folder: Path) -> tuple[NDArray[np.float16], int]:
    return np.load(folder / "gallery.npy", mmap_mode="r"), int((folder / "per_tile").read_text())


def _table(folder: Path) -> TileTable:
    kept = np.load(folder / "places.npz")
    count = int(kept["names"])
    west, south, east, north = (kept[name] for name in _EDGES)
    lat, lon = centres(west, south, east, north)
    off_grid, zeros = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    ids = texts([f"tile-{number}" for number in range(count)])
    return TileTable(ids, off_grid, off_grid, off_grid, lat, lon, west, south, east, north, ids, zeros, zeros)


class _Sampled:
    """The greatest value of a line of this process's status while it is entered, looked at ten times a second.

    Linux keeps the peak of all resident memory alone, pages of mapped files included, which it takes back at will.
    """

    def __init__(self, name: str) -> None:
        self.peak_mb = 0.0
        self._name = name
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, _status_mb(self._name))
            if self._over.wait(0.1):
                return


def _held_mb() -> float:
    """Resident memory of this process, mapped files included."""
    return _status_mb("VmRSS")


def _memory(before_mb: float) -> dict[str, float]:
    """What opening and asking added, and how much of it are pages of mapped files, which the system takes back."""
    return {"resident_mb": round(_held_mb() - before_mb, 1), "of_mapped_files_mb": round(_status_mb("RssFile"), 1)}


def _status_mb(name: str) -> float:
    return int(Path("/proc/self/status").read_text().split(f"{name}:")[1].split()[0]) / 1024


_CHILDREN: dict[str, Callable[[str, Path, float], dict[str, Any]]] = {"build": build, "ask": ask, "truth": truth}


if __name__ == "__main__":
    main()
