"""What one picture costs in each engine and precision, as a share of torch in float32, in one run.

The engines take turns; processor time of the process is counted, which other programs hardly disturb, and wall time
beside it. What an unknown heading costs is measured, too, as a multiple of one panorama of known heading: with all
headings computed at once, where the bundle's exports can, and with each on its own. Networks of the benchmarks' size
have random weights (`--backbone`); speed does not depend on them. Writes `results/NAME.json`.

    make bench-encode
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import write_record
from model.common.atomic_io import sha256_file, write_json
from model.inputs.heading_search import COARSE_HEADINGS, sweep_turns
from model.network.bundle_files import EXPORTS, source_digest
from model.network.checkpoints import load_bundle, save_bundle
from model.network.clnet import CLNet
from model.network.encoder import Encoder
from model.network.export import write_graph
from model.network.exports import SWEEP_FILE
from model.training.config import load_run

_CVUSA = "configs/clnet-cvusa.json"
"""Whose architecture and sizes a `--backbone` takes."""
_CANVASES = 2
"""Of unknown heading that are asked in a row."""
_ENGINES: dict[str, dict[str, Any]] = {
    "torch float32": {"engine": "torch", "precision": "float32"},
    "torch auto": {"engine": "torch", "precision": "auto"},
    "onnxruntime float32": {"engine": "onnxruntime"},
    "openvino float32": {"engine": "openvino", "precision": "float32"},
    "openvino auto": {"engine": "openvino", "precision": "auto"},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", nargs="*", default=["demo", "street"], help="bundles that were exported")
    parser.add_argument("--backbone", nargs="+", default=[], help="networks of random weights at CVUSA's sizes")
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 4, 16, 32], help="pictures in a pass")
    parser.add_argument("--name", default="encode", help="of the record (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--known-only", action="store_true", help="leave out unknown headings, which take longest")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    parser.add_argument("--threads", type=int, default=1, help="of one pass")
    args = parser.parse_args(argv)
    with TemporaryDirectory() as scratch:
        bundles = {name: Path(scratch) / name for name in args.backbone}
        for name, folder in bundles.items():
            _make(name, folder, sweep=not args.known_only)
        named = {**{name: name for name in args.checkpoint}, **{name: str(path) for name, path in bundles.items()}}
        result = {name: _measure(one, args) for name, one in named.items()}
    for name, engines in result.items():
        print(name)
        print(f"{'ms of processor time a panorama, batch':42}" + "".join(f"{batch:>16}" for batch in args.batch))
        for engine, measured in engines.items():
            cells = (f"{one['cpu_ms']:8.2f} ({one['ratio']:4.2f})" for one in measured["batches"].values())
            print(f"{engine:42}" + "".join(f"{cell:>16}" for cell in cells), measured["unknown_heading"])
    print(
        write_record(
            args.name, {"threads": args.threads, "rounds": args.rounds, "beside": args.beside, "engines": result}
        )
    )
    return 0


def _make(backbone: str, folder: Path, *, sweep: bool) -> None:
    """A bundle of random weights, exported; there is nothing that a gate could measure."""
    run = load_run(_CVUSA)
    net = CLNet(replace(run.model, backbone=backbone), run.inputs).eval()
    save_bundle(folder, net, name=backbone, provenance={}, metrics={})
    net = load_bundle(folder).net  # its weights as they are on disk
    files = {"ground": "ground.onnx", "satellite": "satellite.onnx"} | ({"headings": SWEEP_FILE} if sweep else {})
    for graph, file in files.items():
        write_graph(net, graph, folder, folder / file)  # type: ignore[arg-type]
    digests = {file: sha256_file(folder / file) for file in files.values()}
    write_json(folder / EXPORTS, {"made_from": source_digest(folder), "dim": net.dim, "files": digests})


def _measure(checkpoint: str, args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    batches, rounds = args.batch, args.rounds
    encoders = {
        name: Encoder.load(checkpoint, device="cpu", threads=args.threads, **options)
        for name, options in _ENGINES.items()
    }
    width, height = next(iter(encoders.values())).inputs.ground_size_px
    pictures = np.random.default_rng(0).integers(0, 256, (max(*batches, _CANVASES), height, width, 3), np.uint8)
    table: dict[str, dict[str, Any]] = {name: {"batches": {}} for name in encoders}
    for batch in batches:
        count = max(1, min(batches[-1], 16) // batch)
        medians = {
            name: [1e3 * one / (batch * count) for one in medians_of]
            for name, medians_of in _taking_turns(
                {name: partial(_embed, encoder, pictures[:batch], count) for name, encoder in encoders.items()}, rounds
            ).items()
        }
        reference = medians["torch float32"][0]
        for name, (cpu_ms, wall_ms) in medians.items():
            cells = {"cpu_ms": cpu_ms, "wall_ms": wall_ms, "ratio": cpu_ms / reference}
            table[name]["batches"][str(batch)] = {key: round(value, 3) for key, value in cells.items()}
    for name, encoder in encoders.items():
        table[name]["unknown_heading"] = {} if args.known_only else _unknown(encoder, pictures[:_CANVASES], rounds)
    return table


def _unknown(encoder: Encoder, pictures: NDArray[np.uint8], rounds: int) -> dict[str, float]:
    """How many times as much processor time as with a known heading, one panorama after the other."""
    variants: dict[str, Callable[[], object]] = {
        "known": partial(_one_by_one, encoder, pictures, None),
    }
    if encoder.engine.name == "onnxruntime":  # a pass for each costs the same number of passes everywhere
        variants["each"] = partial(_one_by_one, encoder, pictures, COARSE_HEADINGS - 1)
    if encoder.sweeps:
        variants["at_once"] = partial(_one_by_one, encoder, pictures, COARSE_HEADINGS)
    cpu = {name: medians[0] for name, medians in _taking_turns(variants, rounds).items()}
    return {name: round(seconds / cpu["known"], 2) for name, seconds in cpu.items() if name != "known"}


def _one_by_one(encoder: Encoder, pictures: NDArray[np.uint8], headings: int | None) -> None:
    for picture in pictures:
        if headings is None:
            encoder.encode_ground(picture[np.newaxis])
        else:
            sweep_turns(picture[np.newaxis], encoder, _no_index, count=headings)


def _no_index(turns: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    assert turns.shape == vectors.shape[:2]
    return vectors[..., 0]


def _embed(encoder: Encoder, pictures: NDArray[np.uint8], count: int) -> None:
    for _ in range(count):
        encoder.encode_ground(pictures)


def _taking_turns(variants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Median processor and wall seconds of each, after a round that warms up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, run in variants.items():
            cpu, wall = time.process_time(), time.perf_counter()
            run()
            if number:
                times[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {name: [statistics.median(one) for one in zip(*each, strict=True)] for name, each in times.items()}


if __name__ == "__main__":
    sys.exit(main())
