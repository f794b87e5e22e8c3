"""Tiles a second of `build` against the bare forward pass of the same network, and against the obvious loop.

The obvious loop opens a tile, resizes it, and when a batch is full embeds it and appends the vectors. The variants take
turns, so that a machine whose speed drifts slows all of them; medians and their ratios are printed.

    python -m benchmarks.bench_index
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.record import turns, write_record
from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.common.encoders import TileEncoder
from indexer.tiles.sources.open_source import open_source
from model.inputs.transforms import resize_tile
from model.network.encoder import Encoder


def main() -> None:
    """Measure, print a table, write `results/index.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--checkpoint", default="demo", help="bundle to embed with (default demo)")
    parser.add_argument("--tiles", type=int, default=2048, help="JPEG tiles of 256 pixels (default 2048)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each variant takes (default 5)")
    args = parser.parse_args()
    encoder, spec = Encoder.load(args.checkpoint), BuildSpec()
    with tempfile.TemporaryDirectory() as scratch:
        tiles = paint_tiles(Path(scratch) / "tiles", args.tiles)
        variants = {
            "build": lambda: build_once(tiles, encoder, spec),
            "bare forward pass": lambda: forward_only(args.tiles, encoder, spec.batch_size),
            "obvious loop": lambda: obvious_loop(tiles, encoder, spec.batch_size),
        }
        seconds = turns(variants, args.rounds)
    rates = {name: args.tiles / statistics.median(times) for name, times in seconds.items()}
    result = {
        "tiles": args.tiles,
        "encoder": f"{encoder.name}, {encoder.inputs.satellite_px} px",
        "tiles_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "build_relative_to": {name: round(rates["build"] / rate, 3) for name, rate in rates.items() if name != "build"},
    }
    for name, rate in rates.items():
        print(f"{name:20} {rate:9.1f} tiles/s")
    print(write_record("index", result))


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
    out = tiles.with_name("index")
    build_index(open_source(tiles), encoder, out, spec=spec)
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


if __name__ == "__main__":
    main()
