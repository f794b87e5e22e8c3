"""What a GPU does here: panoramas encoded eagerly and as a recorded graph, and tiles compared.

A pass is timed whole, from uint8 pictures in memory to vectors in memory. A graph is recorded once for
each size of a batch, and replayed. The search has the processors beside it. Writes `results/gpu.json`.

    python -m benchmarks.bench_gpu
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.bench_search import read_once, write_vectors
from benchmarks.record import write_record
from indexer.index.device_scan import DeviceScan
from indexer.index.exact_search import ExactScan
from model.common.devices import autocast
from model.network.encoder import Encoder
from model.network.engines.torch_engine import TorchEngine
from model.network.forward import normalise

_TOP_K = 10
_Pixels = NDArray[np.uint8]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", default="street", help="bundle (default: %(default)s)")
    parser.add_argument("--device", default="cuda", help="(default: %(default)s)")
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8, 32, 128, 512], help="pictures in a pass")
    parser.add_argument("--vectors", nargs="+", type=int, default=[1_000_000], help="tiles to compare")
    parser.add_argument("--rounds", type=int, default=15, help="of which the median counts")
    args = parser.parse_args(argv)
    card = torch.cuda.get_device_name() if args.device.startswith("cuda") else platform.processor()
    result = {
        "card": card,
        "torch": torch.__version__,
        "encode": _encode(args.checkpoint, args.device, args.batch, args.rounds),
        "search": {str(count): _search(count, args.device, args.rounds) for count in args.vectors},
    }
    for part in ("encode", "search"):
        for name, row in result[part].items():  # type: ignore[attr-defined]
            print(f"{part} {name:24}", row)
    print(write_record("gpu", result))
    return 0


def _encode(checkpoint: str, device: str, batches: Sequence[int], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of wall time a panorama, by way and batch."""
    ways: dict[str, Callable[[_Pixels], object]] = {}
    for precision in ("float32", "bfloat16"):
        encoder = Encoder.load(checkpoint, device=device, engine="torch", precision=precision)
        ways[f"eager {precision}"] = encoder.encode_ground
    if device.startswith("cuda"):
        ways["graph bfloat16"] = _Recorded(TorchEngine(checkpoint, device=device, precision="bfloat16"))
    width, height = encoder.inputs.ground_size_px
    pictures = np.random.default_rng(0).integers(0, 256, (max(batches), height, width, 3), np.uint8)
    table: dict[str, dict[str, float]] = {name: {} for name in ways}
    for batch in batches:
        for name, way in ways.items():
            table[name][str(batch)] = round(1e3 * _median(lambda: way(pictures[:batch]), rounds) / batch, 4)  # noqa: B023
    vectors = [np.asarray(way(pictures[: batches[1]])) for way in ways.values()]
    table["least cosine to eager float32"] = {
        name: round(float((vectors[0] * other).sum(axis=1).min()), 6) for name, other in zip(ways, vectors, strict=True)
    }
    return table


class _Recorded:
    """A network's pass over one batch size, recorded once and replayed."""

    def __init__(self, engine: TorchEngine) -> None:
        self.engine = engine
        self.graphs: dict[int, tuple[Any, torch.Tensor, torch.Tensor]] = {}

    @torch.inference_mode()
    def __call__(self, pixels: _Pixels) -> NDArray[np.float32]:
        net = self.engine._net
        pictures = normalise(torch.from_numpy(pixels).to(net.logit_scale.device), net.inputs)
        if len(pixels) not in self.graphs:
            self.graphs[len(pixels)] = self._record(pictures.contiguous(memory_format=torch.channels_last))
        graph, asked, vectors = self.graphs[len(pixels)]
        asked.copy_(pictures)
        graph.replay()
        return vectors.cpu().numpy()

    def _record(self, asked: torch.Tensor) -> tuple[Any, torch.Tensor, torch.Tensor]:
        engine, side = self.engine, torch.cuda.Stream()  # type: ignore[no-untyped-call]

        def forward() -> torch.Tensor:
            with autocast(asked.device, engine._half):
                vectors: torch.Tensor = engine._net(asked, "ground", engine._maps["ground"])
            return vectors

        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries choose their kernels before anything is recorded
            for _ in range(3):
                forward()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            vectors = forward()
        return graph, asked, vectors


def _search(count: int, device: str, rounds: int) -> dict[str, float]:
    """Milliseconds of an exact search for one query and for 32, on the device and on the processors."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        vectors = np.load(write_vectors(Path(scratch) / "embeddings.npy", count, 512), mmap_mode="r")
        queries = np.random.default_rng(1).standard_normal((32, 512)).astype(np.float32)
        queries /= np.linalg.norm(queries, axis=1, keepdims=True)
        everything = np.array([[0, count]])
        scans = {"device": DeviceScan(vectors, device), "processors": ExactScan(vectors)}
        asked = {
            f"{name}, {many}": _median(lambda: scan.search(queries[:many], everything, top_k=_TOP_K), rounds)  # noqa: B023
            for name, scan in scans.items()
            for many in (1, 32)
        }
        same = [scan.search(queries, everything, top_k=_TOP_K) for scan in scans.values()]
        assert all(np.array_equal(one, two) for one, two in zip(*map(_rows, same), strict=True))
        return {name: round(1e3 * seconds, 3) for name, seconds in asked.items()} | {
            "processors read the bytes once": round(1e3 * _median(lambda: read_once(vectors), rounds), 3)
        }


def _rows(found: Any) -> list[NDArray[np.int64]]:
    return [np.asarray(one[1]) for one in found]


def _median(run: Callable[[], object], rounds: int) -> float:
    run()
    run()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    raise SystemExit(main())
