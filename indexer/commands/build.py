"""`build`: a tile source embedded into an index folder, or what that would take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from indexer.building.specs import BuildSpec
from indexer.commands.output import as_degrees, as_size, print_lines
from indexer.tiles.sources.options import SourceOptions
from model.common.atomic_io import refuse_existing
from model.common.flags import Option
from model.common.specs import spec
from model.network.specs import EncoderOptions

if TYPE_CHECKING:
    from indexer.building.build import BuildSummary
    from indexer.tiles.sources.source import TileSource

__all__ = ["BuildOptions", "run"]


@spec(kw_only=True)
class BuildOptions(EncoderOptions):
    """What to index, how, and where to."""

    tiles: Annotated[str, Option("folder of z/x/y tiles, PMTiles, MBTiles, GeoTIFF, or a list", "SOURCE")]
    out: Annotated[Path, Option("index folder to write; it must not exist", "FOLDER")]
    source: SourceOptions = SourceOptions()
    anchors: Annotated[
        int | None, Ge(1), Option("describe each tile around N x N points (default: as the checkpoint says)", "N")
    ] = None
    build: BuildSpec = BuildSpec()
    dry_run: Annotated[bool, Option("print the plan (tiles, bytes, minutes) and stop")] = False
    restart: Annotated[bool, Option("discard an unfinished build instead of resuming it")] = False
    quiet: Annotated[bool, Option("no progress")] = False


def run(options: BuildOptions) -> int:
    """Embed a tile source and write an index folder, or print what that would take."""
    from indexer.building.build import build_index
    from indexer.building.estimate import estimate_build
    from indexer.building.plan import make_plan
    from model.common.progress import progress
    from model.network.encoder import Encoder

    how = options.build
    refuse_existing(options.out)
    with _opened(options.tiles, options.source) as source:
        encoder = Encoder.load(
            options.checkpoint, device=options.device, engine=options.engine, anchors=options.anchors
        )
        plan = make_plan(source, encoder, options.out.absolute(), how)
        size = as_size(plan.source_bytes) if plan.source_bytes else "cut as they are read"
        print_lines(f"{len(plan.tiles):,} tiles from {source.path} ({source.kind}), {size}")
        for note in plan.notes:
            print_lines(f"  {note}")
        if options.dry_run:
            estimate = estimate_build(source, encoder, plan, how)
            print_lines(f"  bounds (west, south, east, north): {as_degrees(plan.tiles.bounds.as_tuple())}")
            print_lines(f"  index of about {as_size(estimate.index_bytes)} at {options.out}")
            print_lines(
                f"  about {estimate.minutes:.1f} minutes at {estimate.tiles_per_s:.0f} tiles/s ({encoder.name})"
            )
            return 0
        with progress(len(plan.tiles), "embedding", unit="tiles", quiet=options.quiet) as bar:
            summary = build_index(
                source, encoder, options.out, spec=how, plan=plan, restart=options.restart, on_progress=bar.update
            )
    _print_summary(summary, options.out)
    return 0


@contextmanager
def _opened(text: str, options: SourceOptions) -> Iterator[TileSource]:
    from indexer.tiles.sources.open_source import open_source

    source = open_source(text, options)
    try:
        yield source
    finally:
        source.close()


def _print_summary(summary: BuildSummary, out: Path) -> None:
    taken_over = f" ({summary.resumed:,} taken over from an unfinished build)" if summary.resumed else ""
    print_lines(
        f"{out}: {summary.embedded:,} embedded, {summary.skipped:,} skipped, {summary.failed:,} failed; "
        f"{summary.tiles_per_s:.0f} tiles/s, {summary.seconds:.1f} s{taken_over}",
        *(f"  failed {tile_id}: {reason}" for tile_id, reason in summary.reasons),
        *(f"  {note}" for note in summary.notes if note.startswith("warning")),
    )
