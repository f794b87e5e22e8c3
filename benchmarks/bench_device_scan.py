"""Exact search from a device's memory beside the scan in place: milliseconds, and whether the answers are the same.

Vectors are random and of unit length: a scan takes as long whatever they hold. Asked is everywhere, by one photo and by
32 at once, and in an area of one percent. The two take turns, and their answers are compared.

    python -m benchmarks.bench_device_scan --device cuda --counts 1000000 10000000
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import turns, write_record
from indexer.common.optional import load_torch
from indexer.index.device_scan import DeviceScan
from indexer.index.exact_search import ExactScan

_SEED_ROWS = 100_000
_TOP_K = 10

Runs = NDArray[np.int64]


def main() -> None:
    """Measure, print, write `results/device-scan.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--device", default="cuda", help="where the copy lies (default cuda)")
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000_000], help="vectors (default 1000000)")
    parser.add_argument("--dim", type=int, default=512, help="length of a vector (default 512)")
    parser.add_argument("--rounds", type=int, default=15, help="turns that each takes (default 15)")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    args = parser.parse_args()
    result: dict[str, Any] = {"device": device_name(args.device), "dim": args.dim, "beside": args.beside}
    for count in args.counts:
        result[f"{count} vectors"] = found = measured(unit_vectors(count, args.dim), args.device, args.rounds)
        for name, value in found.items():
            print(f"{count:>11,}  {name:24} {value}")
    print(write_record("device-scan", result))


def device_name(device: str) -> str:
    """What the device calls itself."""
    torch = load_torch()
    return str(torch.cuda.get_device_name(device)) if device.startswith("cuda") else device


def unit_vectors(count: int, dim: int) -> NDArray[np.float16]:
    """float16 [count, dim]: some random ones again and again, each time with other signs, so that no two are equal."""
    rng = np.random.default_rng(0)
    some = rng.standard_normal((min(count, _SEED_ROWS), dim), dtype=np.float32)
    some = (some / np.linalg.norm(some, axis=1, keepdims=True)).astype(np.float16)
    vectors = np.empty((count, dim), np.float16)
    for at in range(0, count, len(some)):
        signs = rng.choice(np.array([-1, 1], np.float16), dim)
        vectors[at : at + len(some)] = some[: count - at] * signs
    return vectors


def measured(vectors: NDArray[np.float16], device: str, rounds: int) -> dict[str, Any]:
    """Milliseconds a search, of both ways, and how long the copy took."""
    count, dim = vectors.shape
    queries = np.random.default_rng(1).standard_normal((32, dim), dtype=np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    began = time.perf_counter()
    on_device = DeviceScan(vectors, device)
    found: dict[str, Any] = {"copying_s": round(time.perf_counter() - began, 2)}
    in_place = ExactScan(vectors)
    everywhere, part = np.array([[0, count]]), one_percent(count)
    cases = {"everywhere": (1, everywhere), "everywhere, 32 photos": (32, everywhere), "area of 1 %": (1, part)}
    for name, (asked, runs) in cases.items():
        found[name] = both(on_device, in_place, queries[:asked], runs, rounds)
    on_device.close()
    in_place.close()
    return found


def one_percent(count: int) -> Runs:
    """Ten runs, evenly spread, as an area along the curve has them."""
    starts = np.linspace(0, count - count // 1000 - 1, 10).astype(np.int64)
    return np.stack([starts, starts + max(1, count // 1000)], axis=1)


def both(
    on_device: ExactScan, in_place: ExactScan, queries: NDArray[np.float32], runs: Runs, rounds: int
) -> dict[str, Any]:
    """Medians of both ways, the slowest search on the device, and whether the answers agree."""
    scans = {"device": on_device, "processor": in_place}
    answers = [scan.search(queries, runs, top_k=_TOP_K) for scan in scans.values()]
    same = all(np.array_equal(one, other) for (_, one), (_, other) in zip(*answers, strict=True))
    times = turns({name: partial(scan.search, queries, runs, top_k=_TOP_K) for name, scan in scans.items()}, rounds)
    ms = {f"{name}_ms": round(1000 * statistics.median(each), 3) for name, each in times.items()}
    return ms | {"slowest_on_device_ms": round(1000 * max(times["device"]), 3), "same_answers": same}


if __name__ == "__main__":
    main()
