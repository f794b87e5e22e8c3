"""What a panorama costs on a GPU, eagerly and as a recorded graph.

A pass is timed whole, from uint8 pictures in memory to vectors in memory. A graph is recorded once for each size of a
batch, and replayed. The search has its own benchmark, `bench_device_scan`. Writes `results/gpu.json`.

    python -m benchmarks.bench_gpu
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.record import write_record
from model.common.devices import autocast
from model.network.encoder import Encoder
from model.network.engines.torch_engine import TorchEngine
from model.network.forward import normalise

_Pixels = NDArray[np.uint8]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", default="street", help="bundle (default: %(default)s)")
    parser.add_argument("--device", default="cuda", help="(default: %(default)s)")
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8, 32, 128, 512], help="pictures in a pass")
    parser.add_argument("--rounds", type=int, default=15, help="of which the median counts")
    args = parser.parse_args(argv)
    card = torch.cuda.get_device_name() if args.device.startswith("cuda") else platform.processor()
    result = {
        "card": card,
        "torch": torch.__version__,
        "encode": _encode(args.checkpoint, args.device, args.batch, args.rounds),
    }
    for name, row in result["encode"].items():  # type: ignore[attr-defined]
        print(f"{name:30}", row)
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
