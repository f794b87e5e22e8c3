"""`update`: an index brought up to what its sources hold now."""

from __future__ import annotations

from typing import Annotated

from indexer.building.specs import BuildSpec
from indexer.commands.changes import encoder_like, print_build, print_state
from indexer.commands.options import IndexOptions
from indexer.commands.output import print_lines
from indexer.tiles.sources.addresses import RemoteOptions
from model.common.flags import Group, Option
from model.common.specs import spec
from model.network.specs import EncoderOptions

__all__ = ["UpdateOptions", "run"]


@spec(kw_only=True)
class UpdateOptions(EncoderOptions, IndexOptions):
    """Which index, from which of its sources, and how closely to look."""

    tiles: Annotated[str | None, Option("look at this source of the index only (default: all)", "SOURCE")] = None
    reread: Annotated[bool, Option("compare the content of every picture, whatever the time of its file")] = False
    keep_gone: Annotated[bool, Option("keep tiles that the source does not list any more")] = False
    remote: Annotated[RemoteOptions, Group("sources that are addresses")] = RemoteOptions()
    build: BuildSpec = BuildSpec()
    dry_run: Annotated[bool, Option("say what has changed and stop")] = False
    restart: Annotated[bool, Option("discard an unfinished update instead of resuming it")] = False
    quiet: Annotated[bool, Option("no progress")] = False


def run(options: UpdateOptions) -> int:
    """Embed what is new or has changed since, take out what is gone."""
    from indexer.lifecycle.change import changing
    from indexer.lifecycle.update import apply_updates, plan_updates
    from indexer.tiles.sources.source import source_name
    from model.common.progress import progress

    with changing(options.index) as change:
        encoder = encoder_like(change.index, options)
        updates = plan_updates(
            change.index,
            encoder,
            options.build,
            tiles=options.tiles,
            reread=options.reread,
            remote=options.remote,
        )
        for update in updates:
            gone = f"{update.gone_count:,} gone{', which stay' if options.keep_gone and update.gone_count else ''}"
            print_lines(
                f"{source_name(update.source)}: {update.new:,} new, {update.changed:,} changed, {gone}, "
                f"{update.same:,} the same"
            )
        if options.dry_run:
            return 0
        with progress(
            sum(len(one.plan.tiles) for one in updates), "embedding", unit="tiles", quiet=options.quiet
        ) as bar:
            summaries = apply_updates(
                change,
                updates,
                encoder,
                spec=options.build,
                keep_gone=options.keep_gone,
                restart=options.restart,
                on_progress=bar.update,
                on_stages=bar.set_postfix_str,
            )
        for summary in summaries:
            print_build(summary, change.index.name)
    print_state(change.folder, change.index.digest)
    return 0
