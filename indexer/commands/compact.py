"""`compact`: few segments instead of many, without the rows that were removed."""

from __future__ import annotations

from indexer.commands.changes import print_state
from indexer.commands.options import IndexOptions
from indexer.commands.output import print_lines
from indexer.index.search_spec import SearchChange
from model.common.counted import counted
from model.common.specs import spec

__all__ = ["CompactOptions", "run"]


@spec(kw_only=True)
class CompactOptions(IndexOptions):
    """Which index."""

    search: SearchChange = SearchChange()


def run(options: CompactOptions) -> int:
    """Join the segments of each source."""
    from indexer.lifecycle.change import changing
    from indexer.lifecycle.compact import compact_index

    with changing(options.index, verify=True) as change:
        joined = compact_index(change, search=options.search)
    print_lines(f"{counted(joined, 'segment')} compacted" if joined else "it is compact already; nothing was done")
    print_state(change.folder, change.index.digest)
    return 0
