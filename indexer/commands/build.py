"""`build`: a tile source embedded into an index folder, or what that would take."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from indexer.building.specs import BuildSpec
from indexer.commands.changes import opened_source, print_build
from indexer.commands.output import as_degrees, as_size, print_lines
from indexer.tiles.sources.options import SourceOptions
from model.common.atomic_io import refuse_existing
from model.common.counted import counted
from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.specs import spec
from model.network.specs import EncoderOptions

if TYPE_CHECKING:
    from indexer.building.build import BuildSummary
    from indexer.building.plan import BuildPlan
    from indexer.common.encoders import TileEncoder
    from indexer.distributed.shard_worker import ShardJob
    from indexer.tiles.sources.source import TileSource
    from model.training.distributed import Processes

__all__ = ["BuildOptions", "run"]


def _parse_shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    number, parts = (int(part) for part in found.groups()) if found else (0, 0)
    if not 1 <= number <= parts:
        raise ValueError(f"{text!r} is no part; give such as 1/8, 2/8, ..., 8/8")
    return number, parts


@spec(kw_only=True)
class BuildOptions(EncoderOptions):
    """What to index, how, and where to."""

    tiles: Annotated[str, Option("folder of z/x/y tiles, PMTiles, MBTiles, GeoTIFF, or a list", "SOURCE")]
    out: Annotated[Path, Option("index folder to write; it must not exist", "FOLDER")]
    source: SourceOptions = SourceOptions()
    anchors: Annotated[
        int | None, Ge(1), Option("describe each tile around N x N points (default: as the checkpoint says)", "N")
    ] = None
    date: Annotated[
        datetime.date | None, Option("when the pictures were taken", "YYYY-MM-DD", parse=datetime.date.fromisoformat)
    ] = None
    shard: Annotated[
        tuple[int, int] | None,
        Option("build only the I-th of N parts; `merge` makes one index of them", "I/N", parse=_parse_shard),
    ] = None
    ray: Annotated[
        str | None,
        Option("embed on the Ray cluster at ADDRESS; auto: the one this machine is in; local: start one", "ADDRESS"),
    ] = None
    build: BuildSpec = BuildSpec()
    dry_run: Annotated[bool, Option("print the plan (tiles, bytes, minutes) and stop")] = False
    restart: Annotated[bool, Option("discard an unfinished build instead of resuming it")] = False
    quiet: Annotated[bool, Option("no progress")] = False

    def check_together(self) -> None:
        """A cluster takes the whole of a build, and no address is empty."""
        if self.ray is not None and self.shard is not None:
            raise BadConfig("--ray and --shard exclude each other: a cluster shares a build out by itself")
        if self.ray == "":
            raise BadConfig("--ray is empty; give an address, auto or local")


def run(options: BuildOptions) -> int:
    """Embed a tile source and write an index folder, or print what that would take."""
    from indexer.distributed.torchrun_build import shared_spec, started_with_others

    refuse_existing(options.out)
    if not started_with_others() or options.dry_run:
        return _run(options)
    if options.ray is not None:
        raise BadConfig("--ray and torchrun exclude each other: a cluster starts processes by itself")
    from model.training.distributed import joined_processes

    with joined_processes(options.device) as (processes, device):
        return _run(replace(options, device=str(device), build=shared_spec(options.build)), processes)


def _run(options: BuildOptions, processes: Processes | None = None) -> int:
    """The same, alone or as one of several processes, of which the first one speaks."""
    from indexer.building.build import build_index
    from indexer.building.plan import make_plan, part_of
    from indexer.tiles.sources.source import source_name
    from model.common.progress import progress
    from model.network.encoder import Encoder

    how, speaks = options.build, processes is None or processes.is_first
    with opened_source(options.tiles, options.source) as source:
        encoder = Encoder.load(
            options.checkpoint, device=options.device, engine=options.engine, anchors=options.anchors
        )
        plan = make_plan(source, encoder, options.out.absolute(), how, date=options.date)
        plan = part_of(plan, *options.shard) if options.shard else plan
        if speaks:
            size = as_size(plan.source_bytes) if plan.source_bytes else "cut as they are read"
            print_lines(f"{counted(len(plan.tiles), 'tile')} from {source_name(source)} ({source.kind}), {size}")
            print_lines(*(f"  {note}" for note in plan.notes))
        if options.dry_run:
            _print_estimate(options, source, encoder, plan)
            return 0
        with progress(len(plan.tiles), "embedding", unit="tiles", quiet=options.quiet or not speaks) as bar:
            summary: BuildSummary | None
            if processes is not None:
                from indexer.distributed.torchrun_build import build_with_others

                summary = build_with_others(
                    source, encoder, options.out, processes=processes, plan=plan, job=_job(options, plan),
                    restart=options.restart, on_progress=bar.update,
                )  # fmt: skip
            elif options.ray is not None:
                summary = _on_ray(options, source, encoder, plan, bar.update)
            else:
                summary = build_index(
                    source, encoder, options.out, spec=how, plan=plan, restart=options.restart, on_progress=bar.update,
                    on_stages=bar.set_postfix_str,
                )  # fmt: skip
    if summary is not None:
        print_build(summary, options.out)
    return 0


def _print_estimate(options: BuildOptions, source: TileSource, encoder: TileEncoder, plan: BuildPlan) -> None:
    """What the build would take."""
    from indexer.building.estimate import estimate_build
    from indexer.building.needs import free_bytes

    estimate = estimate_build(source, encoder, plan, options.build)
    print_lines(f"  bounds (west, south, east, north): {as_degrees(plan.tiles.bounds.as_tuple())}")
    needs, free = estimate.needs, free_bytes(options.out.absolute().parent)
    short = "" if free >= needs.disk else "; that is too little"
    print_lines(
        f"  index of about {as_size(needs.index)} at {options.out}; {as_size(needs.disk)} on disk while it is "
        f"built, {as_size(free)} are free{short}",
        f"  about {as_size(needs.memory)} of memory beside the network",
        f"  about {estimate.minutes:.1f} minutes at {estimate.tiles_per_s:.0f} tiles/s ({encoder.name})",
    )


def _on_ray(
    options: BuildOptions, source: TileSource, encoder: TileEncoder, plan: BuildPlan, advance: Callable[[int], object]
) -> BuildSummary:
    """The same on a cluster."""
    from indexer.distributed.ray_build import build_on_ray

    return build_on_ray(
        source,
        encoder,
        options.out,
        address=str(options.ray),
        plan=plan,
        job=_job(options, plan),
        restart=options.restart,
        on_progress=advance,
    )


def _job(options: BuildOptions, plan: BuildPlan) -> ShardJob:
    """What every process is told that embeds a part."""
    from indexer.distributed.shard_worker import ShardJob

    return ShardJob.of(
        plan,
        options.build,
        source=_seen_from_anywhere(options.tiles),
        options=options.source,
        encoder=EncoderOptions(checkpoint=options.checkpoint, device=options.device, engine=options.engine),
        anchors=options.anchors,
    )


def _seen_from_anywhere(tiles: str) -> str:
    """A path from the root, as workers have another working folder; an address as it is."""
    from indexer.tiles.sources.addresses import is_address

    return tiles if is_address(tiles) else str(Path(tiles).absolute())
