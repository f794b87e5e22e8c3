"""`compact`: few segments instead of many, without the rows that were removed."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from indexer.commands.changes import print_state
from indexer.commands.options import IndexOptions
from indexer.commands.output import print_lines
from model.common.flags import Option
from model.common.specs import spec

__all__ = ["CompactOptions", "run"]


@spec(kw_only=True)
class CompactOptions(IndexOptions):
    """Which index."""

    exact_up_to: Annotated[
        int, Ge(0), Option("number of vectors of a segment beyond which an approximate index is made", "N")
    ] = 300_000


def run(options: CompactOptions) -> int:
    """Join the segments of each source."""
    from indexer.lifecycle.change import changing
    from indexer.lifecycle.compact import compact_index

    with changing(options.index, verify=True) as change:
        joined = compact_index(change, exact_up_to=options.exact_up_to)
    print_lines(f"{joined} segments compacted" if joined else "it is compact already; nothing was done")
    print_state(change.folder, change.index.digest)
    return 0
