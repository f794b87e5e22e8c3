"""`split`: a part of an index as an index of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from indexer.commands.options import AreaOptions, IndexOptions
from indexer.commands.output import print_lines
from indexer.index.search_spec import SearchChange
from model.common.atomic_io import refuse_existing
from model.common.counted import counted
from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.specs import spec

__all__ = ["SplitOptions", "run"]


@spec(kw_only=True)
class SplitOptions(AreaOptions, IndexOptions):
    """Which part, and where to."""

    out: Annotated[Path, Option("index folder to write; it must not exist", "FOLDER")]
    search: SearchChange = SearchChange()

    def check_together(self) -> None:
        """There is an area."""
        super().check_together()
        if not self.has_area:
            raise BadConfig("nothing says which part to split off; give --bbox, --near, --area or --track")


def run(options: SplitOptions) -> int:
    """Copy the tiles of an area into a new index."""
    from indexer.index.tile_index import TileIndex
    from indexer.lifecycle.split import split_index

    refuse_existing(options.out)
    region = options.region()
    index = TileIndex.open(options.index, verify=True)
    try:
        count = split_index(index, region, options.out, search=options.search) if region is not None else 0
    finally:
        index.close()
    print_lines(
        f"{options.out}: {count:,} of {counted(index.count, 'tile')}; {index.folder} still has them, "
        "`remove` takes them out"
    )
    return 0
