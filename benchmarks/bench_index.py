"""Tiles a second of `build` against the bare forward pass, the obvious loop, and a plain torch DataLoader.

The obvious loop opens a tile, resizes it, and when a batch is full embeds it and appends the vectors. The DataLoader
has the settings of the reader of clip-retrieval: a file a sample, decoded in workers, two batches ahead of each, the
last one kept. With `--fast` the network is a stub that answers 10,000 tiles a second, so that the pipeline itself is
seen; the limit is then what decoding alone allows: as many processes as `build` takes, that decode and do nothing else.

The variants take turns, so that a machine whose speed drifts slows all of them. Beside seconds, processor time is
counted, of all processes: on a shared machine it says more.

    python -m benchmarks.bench_index
    python -m benchmarks.bench_index --fast
    python -m benchmarks.bench_index --engine openvino --name index-openvino
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.processes import cpu_seconds_of
from benchmarks.record import write_record
from model.common.images import decode_image
from model.inputs.transforms import InputSpec, resize_tile

if TYPE_CHECKING:  # every process that decodes imports this module, so it imports little
    from indexer.building.specs import BuildSpec
    from indexer.common.encoders import TileEncoder

_AHEAD = 2
"""Batches that each worker of clip-retrieval's reader prepares: torch's default, which it keeps."""
_STUB_PER_S = 10_000.0


def main() -> None:
    """Measure, print a table, write `results/index.json`, `results/index-fast.json` or `results/NAME.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--checkpoint", default="demo", help="bundle to embed with (default demo)")
    parser.add_argument("--engine", default="auto", help="that computes it, as `build` takes it (default auto)")
    parser.add_argument("--tiles", type=int, default=2048, help="JPEG tiles of 256 pixels (default 2048)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each variant takes (default 5)")
    parser.add_argument("--fast", action="store_true", help="take a stub of 10,000 tiles a second for the network")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="decoders of every variant")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    parser.add_argument("--name", help="of the record (default: index, or index-fast)")
    args = parser.parse_args()
    encoder = Stub() if args.fast else _load(args.checkpoint, args.engine)
    with tempfile.TemporaryDirectory() as scratch:
        tiles = paint_tiles(Path(scratch) / "tiles", args.tiles)
        found = turns_of(variants(tiles, encoder, args.workers), args.rounds)
    rates = {name: args.tiles / statistics.median(wall for wall, _ in times) for name, times in found.items()}
    cpu = {name: statistics.median(cpu for _, cpu in times) / args.tiles for name, times in found.items()}
    build = "build, processes" if args.fast else "build"
    result = {
        "tiles": args.tiles,
        "encoder": "stub" if args.fast else f"{encoder.name}, {encoder.inputs.satellite_px} px",
        "engine": "stub" if args.fast else args.engine,
        "workers": args.workers,
        "beside": args.beside,
        "tiles_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "processor_us_per_tile": {name: round(1e6 * seconds, 1) for name, seconds in cpu.items()},
        "build_relative_to": {name: round(rates[build] / rate, 3) for name, rate in rates.items() if name != build},
        "build_relative_to_in_processor_time": {
            name: round(seconds / cpu[build], 3) for name, seconds in cpu.items() if name != build
        },
        "stages_of_the_last_build": STAGES,
    }
    for name, rate in rates.items():
        print(f"{name:22} {rate:9.1f} tiles/s  {1e6 * cpu[name]:9.1f} us of processor a tile")
    print(write_record(args.name or ("index-fast" if args.fast else "index"), result))


def _load(checkpoint: str, engine: str) -> TileEncoder:
    from model.network.encoder import Encoder

    return Encoder.load(checkpoint, engine=engine)


@dataclass
class Stub:
    """A network of 10,000 tiles a second: it reads every pixel once, and waits as a GPU would be waited for."""

    name: str = "stub"
    digest: str = hashlib.sha256(b"stub").hexdigest()
    numbers: str = "float"
    dim: int = 512
    inputs: InputSpec = field(default_factory=lambda: InputSpec(satellite_px=64))

    def encode_satellite(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] -> float32 [B, 512], which tell the pictures apart."""
        began = time.perf_counter()
        sums = pixels.reshape(len(pixels), 512, -1).sum(axis=2, dtype=np.int32).astype(np.float32)
        vectors: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        time.sleep(max(0.0, len(pixels) / _STUB_PER_S - (time.perf_counter() - began)))
        return vectors


STAGES: dict[str, str] = {}


def variants(tiles: Path, encoder: TileEncoder, workers: int) -> dict[str, Callable[[], object]]:
    """What takes turns."""
    from indexer.building.specs import BuildSpec
    from indexer.index.search_spec import SearchSpec

    count = len(list(tiles.rglob("*.jpg")))
    base = BuildSpec(workers=workers, search=SearchSpec(latency_ms=1e9))
    size = base.batch_size
    always: dict[str, Callable[[], object]] = {
        "bare forward pass": lambda: forward_only(count, encoder, size),
        "obvious loop": lambda: obvious_loop(tiles, encoder, size),
        "DataLoader": lambda: data_loader(tiles, encoder, size, workers),
        "decoding alone": lambda: decode_only(tiles, encoder.inputs, workers),
    }
    if isinstance(encoder, Stub):
        threads = BuildSpec(workers=workers, search=base.search, decode="threads")
        processes = BuildSpec(workers=workers, search=base.search, decode="processes")
        return {
            "build, processes": lambda: build_once(tiles, encoder, processes),
            "build, threads": lambda: build_once(tiles, encoder, threads),
            **always,
        }
    return {"build": lambda: build_once(tiles, encoder, base), **always}


def turns_of(variants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """(seconds, seconds of processor) of each variant in each round, after one that is not counted."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, run in variants.items():
            before, began = cpu_seconds_of(os.getpid()), time.perf_counter()
            run()
            if number:
                found[name].append((time.perf_counter() - began, cpu_seconds_of(os.getpid()) - before))
    return found


def paint_tiles(folder: Path, count: int) -> Path:
    """Soft random JPEGs of 256 pixels in a z/x/y folder."""
    rng = np.random.default_rng(0)
    for number in range(count):
        column, row = divmod(number, 64)
        path = folder / "18" / str(130_000 + column) / f"{90_000 + row}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cells = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
        cells.resize((256, 256), Image.Resampling.BICUBIC).save(path, quality=85)
    return folder


def build_once(tiles: Path, encoder: TileEncoder, spec: BuildSpec) -> None:
    """The whole build, manifest and digests included."""
    from indexer.building.build import build_index
    from indexer.tiles.sources.open_source import open_source

    out = tiles.with_name("index")
    summary = build_index(open_source(tiles), encoder, out, spec=spec)
    STAGES[spec.decode] = str(summary.stages)
    shutil.rmtree(out)


def forward_only(count: int, encoder: TileEncoder, batch_size: int) -> None:
    """The encoder on pixels that lie ready."""
    side = encoder.inputs.satellite_px
    pixels = np.random.default_rng(0).integers(0, 256, (batch_size, side, side, 3), dtype=np.uint8)
    for start in range(0, count, batch_size):
        encoder.encode_satellite(pixels[: count - start])


def obvious_loop(tiles: Path, encoder: TileEncoder, batch_size: int) -> None:
    """What one would write first."""
    batch: list[np.ndarray] = []
    vectors: list[np.ndarray] = []
    for path in sorted(tiles.rglob("*.jpg")):
        batch.append(resize_tile(Image.open(path).convert("RGB"), encoder.inputs))
        if len(batch) == batch_size:
            vectors.append(encoder.encode_satellite(np.stack(batch)))
            batch = []
    if batch:
        vectors.append(encoder.encode_satellite(np.stack(batch)))
    np.save(tiles.with_name("loop.npy"), np.concatenate(vectors).astype(np.float16))


class Files:
    """A data set of torch: one file a sample, decoded where it is asked for."""

    def __init__(self, paths: list[Path], inputs: InputSpec) -> None:
        self.paths, self.inputs = paths, inputs

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        return decoded(self.paths[number], self.inputs).copy()  # torch wants to be able to write


def data_loader(tiles: Path, encoder: TileEncoder, batch_size: int, workers: int) -> None:
    """The reader that clip-retrieval has for files, in front of the same network."""
    from torch.utils.data import DataLoader

    files: Any = Files(sorted(tiles.rglob("*.jpg")), encoder.inputs)
    loader: Any = DataLoader(
        files, batch_size, num_workers=workers, prefetch_factor=_AHEAD, shuffle=False, pin_memory=False
    )
    vectors = [encoder.encode_satellite(batch.numpy()) for batch in loader]
    np.save(tiles.with_name("loader.npy"), np.concatenate(vectors).astype(np.float16))


def decode_only(tiles: Path, inputs: InputSpec, workers: int) -> None:
    """Decoding and resizing in as many processes, each its share at once, and nothing else."""
    paths = sorted(tiles.rglob("*.jpg"))
    shares = [paths[number::workers] for number in range(workers)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        list(pool.map(decode_share, shares, [inputs] * workers))


def decode_share(paths: list[Path], inputs: InputSpec) -> int:
    """Decode one process's share; the sum of a pixel of each, so that nothing is left out."""
    return sum(int(decoded(path, inputs)[0, 0, 0]) for path in paths)


def decoded(path: Path, inputs: InputSpec) -> NDArray[np.uint8]:
    """One tile at the network's size, as `build` decodes it."""
    at_least_px = inputs.satellite_size_px if inputs.antialias else None
    return resize_tile(decode_image(path.read_bytes(), at_least_px=at_least_px), inputs)


if __name__ == "__main__":
    main()
