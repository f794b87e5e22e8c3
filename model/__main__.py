"""`python -m model train | evaluate | render | check-data | import | info`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model._version import VERSION
from model.commands.evaluate import add_options, run_evaluation
from model.common.command_line import as_argument, join_coordinates, parse_count, parse_lat_lon, run
from model.data.sources import DEFAULT_CACHE

if TYPE_CHECKING:
    from model.training.distributed import Processes

_DATA_HELP = (
    "world:SPLIT (train, val, same-area, cross-area, ...; docs/world.md), BENCHMARK:SPLIT?root=DIR (docs/datasets.md), "
    "or a CSV or Parquet manifest of pairs"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, then import what the command needs, then run it; returns the exit code."""
    arguments = _parser().parse_args(join_coordinates(sys.argv[1:] if argv is None else argv))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run(lambda: int(arguments.command(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model", description="Train, evaluate and inspect the encoders.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train a network, or go on where a run was stopped"))
    _add_evaluate(commands.add_parser("evaluate", help="measure recall of a checkpoint on a data set"))
    _add_render(commands.add_parser("render", help="draw the synthetic world: a data set of pairs, or a tile region"))
    _add_check_data(
        commands.add_parser("check-data", help="say what is there, missing or wrong in a benchmark's folder")
    )
    _add_import(commands.add_parser("import", help="turn a checkpoint that others published into a bundle"))
    _add_info(commands.add_parser("info", help="show what a checkpoint bundle is"))
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="JSON file of the run (see configs/); absent keys take defaults")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
                        help="override one value, for example optim.lr=0.0005 (repeatable)")  # fmt: skip
    parser.add_argument("--out", type=Path, help="folder of the run; the same command again resumes it")
    parser.add_argument("--print-config", action="store_true", help="print the whole configuration and stop")
    _add_common(parser)
    parser.set_defaults(command=_train)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    add_options(parser, data_help=_DATA_HELP)
    _add_common(parser)
    parser.set_defaults(command=_evaluate)


def _add_render(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    pairs = kinds.add_parser("pairs", help="a split of the world as pictures and a manifest pairs.csv")
    pairs.add_argument("--data", required=True, metavar="world:SPLIT", help="which split")
    pairs.add_argument("--out", type=Path, required=True, help="new folder")
    pairs.add_argument("--workers", type=parse_count, default=2, help="processes that render (default 2)")
    pairs.set_defaults(command=_render_pairs)
    region = kinds.add_parser("region", help="an XYZ tile folder (z/x/y.jpg) and panoramas at known places")
    region.add_argument("--out", type=Path, required=True, help="new folder; gets tiles/, panoramas/, pairs.csv")
    region.add_argument("--seed", type=int, default=400, help="which world (default 400; training uses 1 to 16)")
    region.add_argument("--side", type=int, default=32, help="tiles along each side of the square (default 32)")
    region.add_argument("--centre", type=as_argument(parse_lat_lon), metavar="LAT,LON",
                        help="middle of the region (default: the world's origin)")  # fmt: skip
    region.add_argument("--panoramas", type=int, default=24, help="panoramas to take (default 24)")
    region.add_argument("--calibration", type=int, default=0,
                        help="further panoramas, listed in calibration.csv, to calibrate with (default 0)")  # fmt: skip
    region.add_argument("--workers", type=parse_count, default=2, help="processes that render (default 2)")
    region.set_defaults(command=_render_region)


def _add_check_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="BENCHMARK[:SPLIT][?OPTION=VALUE]",
                        help="cvusa, cvact, vigor or university, all splits or one (docs/datasets.md)")  # fmt: skip
    parser.add_argument("--root", type=Path, help="its folder")
    parser.add_argument("--pictures", type=parse_count, default=32, metavar="N",
                        help="decode N pictures of each side of each split, evenly spaced (default 32)")  # fmt: skip
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw sample pairs")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.set_defaults(command=_check_data)


def _add_import(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    sample4geo = kinds.add_parser("sample4geo", help="what Sample4Geo's authors publish, or their code has trained")
    sample4geo.add_argument("weights", type=Path, help="the .pth file, or the same tensors as .safetensors")
    sample4geo.add_argument("--benchmark", required=True, metavar="NAME",
                            help="cvusa, cvact, vigor-same, vigor-cross or university; decides sizes")  # fmt: skip
    sample4geo.add_argument("--out", type=Path, required=True, help="new folder, the bundle")
    sample4geo.add_argument("--backbone", help="timm's name of the ConvNeXt inside (default: that of the paper)")
    sample4geo.add_argument("--name", help="what the bundle calls itself (default sample4geo-BENCHMARK)")
    sample4geo.set_defaults(command=_import_sample4geo)


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint", default="demo", help="bundle folder, or the name of a packaged one (default demo)"
    )
    parser.set_defaults(command=_info)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE,
                        help=f"where rendered splits of the world are kept (default {DEFAULT_CACHE})")  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default auto)")


def _train(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from model.training.config import load_run

    if arguments.print_config:
        print(json.dumps(asdict(load_run(arguments.config, arguments.overrides)), indent=2))
        return 0
    from model.training.distributed import joined_processes

    with joined_processes(arguments.device) as (processes, device):
        _train_together(arguments, processes, str(device))
    return 0


def _train_together(arguments: argparse.Namespace, processes: Processes, device: str) -> None:
    from model.common.errors import BadConfig
    from model.data.sources import open_pairs
    from model.training.config import load_run
    from model.training.trainer import train

    spec = load_run(arguments.config, arguments.overrides)
    if arguments.out is None:
        raise BadConfig("no --out given; name a folder for the run")
    with processes.first_alone():  # a split of the world may have to be rendered
        pairs, val = (open_pairs(source, cache=arguments.cache) for source in (spec.data.train, spec.data.val))
    bundle = train(spec, pairs, val, arguments.out, device=device, processes=processes)
    if processes.is_first:
        print(f"trained: {bundle}")


def _evaluate(arguments: argparse.Namespace) -> int:
    print(run_evaluation(arguments))
    return 0


def _render_pairs(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from model.synthetic.pair_set import render_split
    from model.synthetic.splits import find_split

    split, manifest = find_split(arguments.data.removeprefix("world:"))
    with tqdm(total=split.places, unit="pair", disable=None) as bar:
        render_split(split, arguments.out, workers=arguments.workers, progress=lambda done, _: bar.update(done - bar.n))
    print(f"rendered {split.places} synthetic pairs: {arguments.out / manifest}")
    return 0


def _render_region(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from model.synthetic.plane import ORIGIN
    from model.synthetic.tile_region import Region, render_region

    centre = arguments.centre or ORIGIN
    region = Region(arguments.seed, centre, arguments.side, arguments.panoramas, arguments.calibration)
    with tqdm(total=region.tiles, unit="tile", disable=None) as bar:
        taken = render_region(region, arguments.out, workers=arguments.workers, progress=bar.update)
    if taken < region.wanted:
        aside = f", {max(taken - region.panoramas, 0)} of them to calibrate with" if region.calibration else ""
        sys.stderr.write(
            f"warning: {taken} of {region.wanted} panoramas could be taken{aside}: too few of the {region.tiles} tiles "
            "have a place to stand in their middle; give a larger --side\n"
        )
    print(f"rendered {region.tiles} synthetic tiles and {taken} panoramas: {arguments.out}")
    return 0


def _check_data(arguments: argparse.Namespace) -> int:
    from model.common.errors import BadDataset
    from model.data.benchmarks.registry import parse_source
    from model.data.benchmarks.sheet import draw_sheet
    from model.data.benchmarks.survey import describe, survey

    source = parse_source(arguments.data)
    root = arguments.root or source.root
    if root is None:
        raise BadDataset(f"no --root given; name the folder of {source.benchmark.name}")
    found = survey(source, root, pictures=arguments.pictures)
    print(json.dumps(found.as_json()) if arguments.json else describe(found, source.benchmark))
    if arguments.png is not None:
        draw_sheet(found.splits, source.benchmark, arguments.png)
    return 0 if found.complete else 1


def _import_sample4geo(arguments: argparse.Namespace) -> int:
    from model.network.import_sample4geo import SAMPLE4GEO_BACKBONE, import_sample4geo

    backbone = arguments.backbone or SAMPLE4GEO_BACKBONE
    import_sample4geo(arguments.weights, arguments.benchmark, arguments.out, backbone=backbone, name=arguments.name)
    print(f"imported: {arguments.out}")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from model.network.checkpoints import load_bundle, resolve_bundle

    bundle = load_bundle(arguments.checkpoint)
    print(json.dumps(
        {
            "name": bundle.name, "digest": bundle.digest, "folder": str(resolve_bundle(arguments.checkpoint)),
            "model": asdict(bundle.net.spec), "inputs": asdict(bundle.net.inputs),
            "parameters": sum(value.numel() for value in bundle.net.parameters()),
            "provenance": bundle.provenance, "metrics": bundle.metrics,
        },
        indent=2,
    ))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
