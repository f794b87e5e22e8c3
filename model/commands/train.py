"""`train`: a network from a configuration, in one process or several."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from model.common.errors import BadCheckpoint, BadConfig, MissingExtra
from model.common.flags import Option
from model.common.freed_memory import keep_freed_memory
from model.common.specs import spec
from model.data.specs import CacheOptions

if TYPE_CHECKING:
    from model.data.pairs import PairSet
    from model.training.config import RunSpec
    from model.training.distributed import Processes

__all__ = ["TrainOptions", "run"]


@spec(kw_only=True)
class TrainOptions(CacheOptions):
    """Which run, and where."""

    config: Annotated[Path | None, Option("JSON file of the run (see configs/); absent keys take defaults", "FILE")] = (
        None
    )
    init: Annotated[
        str | None, Option("go on from this bundle's weights with fine-tuning settings, as --init demo", "BUNDLE")
    ] = None
    data: Annotated[
        Path | None, Option("pairs to fine-tune on: a folder that `python -m indexer pairs` made", "PAIRS")
    ] = None
    overrides: Annotated[
        tuple[str, ...],
        Option("override one value, for example optim.lr=0.0005 (repeatable)", "KEY=VALUE", flag="--set", repeat=True),
    ] = ()
    out: Annotated[Path | None, Option("folder of the run; the same command again resumes it", "FOLDER")] = None
    print_config: Annotated[bool, Option("print the whole configuration and stop")] = False
    no_export: Annotated[bool, Option("do not export the trained bundle (see `export`)")] = False
    profile: Annotated[
        int | None, Ge(1), Option("print where the time of a step goes, over N steps, and stop; nothing is kept", "N")
    ] = None
    device: Annotated[str, Option("where to train: auto, cpu, cuda, cuda:N or mps", "DEVICE")] = "auto"


def run(options: TrainOptions) -> int:
    """Train, or go on where the run was stopped."""
    from dataclasses import asdict

    if options.print_config:
        sys.stdout.write(json.dumps(asdict(_plan(options)), indent=2) + "\n")
        return 0
    from model.training.distributed import joined_processes

    with joined_processes(options.device) as (processes, device):
        if device.type == "cpu":
            keep_freed_memory()
        _train_together(options, processes, str(device))
    return 0


def _plan(options: TrainOptions) -> RunSpec:
    """The run: fine-tuning settings where a bundle is given, then the file's, then single ones."""
    from model.training.config import load_run

    if options.init is None:
        if options.data is not None:
            raise BadConfig(
                f"--data {options.data} belongs to --init BUNDLE; without it set data.train and data.val with --set"
            )
        return load_run(options.config, options.overrides)
    from model.training.fine_tuning import fine_tuning_tree

    return load_run(options.config, options.overrides, base=fine_tuning_tree(options.init, options.data))


def _train_together(options: TrainOptions, processes: Processes, device: str) -> None:
    from model.data.sources import open_pairs
    from model.training.trainer import train

    plan = _plan(options)
    if options.out is None:
        raise BadConfig("no --out given; name a folder for the run")
    with processes.first_alone():  # a split of the world may have to be rendered
        pairs, val = (open_pairs(source, cache=options.cache) for source in (plan.data.train, plan.data.val))
        replay = open_pairs(plan.data.replay, cache=options.cache) if plan.data.replay else None
    if options.profile is not None:
        from model.training.step_profile import profile_steps

        sys.stdout.write(f"{profile_steps(plan, pairs, options.out, device=device, steps=options.profile)}\n")
        return
    bundle = train(plan, pairs, val, options.out, replay=replay, device=device, processes=processes)
    if processes.is_first:
        sys.stdout.write(f"trained: {bundle}\n")
        if not options.no_export:
            _export(bundle, val)


def _export(bundle: Path, val: PairSet) -> None:
    """Publish the exports with the bundle; a network that cannot be exported is trained all the same."""
    from model.evaluation.publish_exports import export_bundle
    from model.network.bundle_files import read_exports

    if read_exports(bundle) is not None:  # of a run that was over before
        return
    sys.stdout.flush()
    sys.stderr.write("exporting the networks, and comparing them with torch: a minute or two\n")
    try:
        parity = export_bundle(bundle, val).parity
    except (BadCheckpoint, MissingExtra) as error:
        sys.stderr.write(f"warning: {bundle} is not exported, and runs in torch only: {error}\n")
        return
    sys.stdout.write(f"exported: least cosine to torch {parity.least_cosine:.6f} on {parity.data}\n")
