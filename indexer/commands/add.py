"""`add`: the tiles of a source that an index does not have yet."""

from __future__ import annotations

import datetime
from typing import Annotated

from indexer.building.specs import BuildSpec
from indexer.commands.changes import encoder_like, opened_source, print_build, print_state
from indexer.commands.options import IndexOptions
from indexer.commands.output import print_lines
from indexer.tiles.sources.options import SourceOptions
from model.common.counted import counted
from model.common.flags import Option
from model.common.specs import spec
from model.network.specs import EncoderOptions

__all__ = ["AddOptions", "run"]


@spec(kw_only=True)
class AddOptions(EncoderOptions, IndexOptions):
    """What to add, and how."""

    tiles: Annotated[str, Option("folder of z/x/y tiles, PMTiles, MBTiles, GeoTIFF, or a list", "SOURCE")]
    source: SourceOptions = SourceOptions()
    date: Annotated[
        datetime.date | None,
        Option("when the pictures were taken; tiles of another date are other tiles", "YYYY-MM-DD",
               parse=datetime.date.fromisoformat),
    ] = None  # fmt: skip
    other_size: Annotated[bool, Option("the tiles may show ground of another size than those of the index")] = False
    build: BuildSpec = BuildSpec()
    dry_run: Annotated[bool, Option("say how many tiles are new and stop")] = False
    restart: Annotated[bool, Option("discard an unfinished addition instead of resuming it")] = False
    quiet: Annotated[bool, Option("no progress")] = False


def run(options: AddOptions) -> int:
    """Embed what an index does not have, and put it there in one step."""
    from indexer.lifecycle.add import add_tiles, plan_addition
    from indexer.lifecycle.change import changing
    from indexer.tiles.sources.source import source_name
    from model.common.progress import progress

    with changing(options.index) as change, opened_source(options.tiles, options.source) as source:
        encoder = encoder_like(change.index, options)
        addition = plan_addition(
            change.index, source, encoder, options.build, date=options.date, other_size=options.other_size
        )
        count = len(addition.plan.tiles)
        print_lines(
            f"{counted(count, 'new tile')} in {source_name(source)} ({source.kind}), "
            f"{addition.known:,} are there already"
        )
        print_lines(*(f"  {note}" for note in addition.plan.notes))
        if options.dry_run:
            return 0
        with progress(count, "embedding", unit="tiles", quiet=options.quiet) as bar:
            summary = add_tiles(
                change, addition, source, encoder, spec=options.build, restart=options.restart, on_progress=bar.update,
                on_stages=bar.set_postfix_str,
            )  # fmt: skip
        print_build(summary, options.tiles)
    print_state(change.folder, change.index.digest)
    return 0
