"""`merge`: several indexes as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from indexer.commands.output import print_lines
from model.common.atomic_io import refuse_existing
from model.common.counted import counted
from model.common.flags import Option
from model.common.specs import spec

__all__ = ["MergeOptions", "run"]


@spec(kw_only=True)
class MergeOptions:
    """Which indexes, and where to."""

    indexes: Annotated[
        tuple[Path, ...],
        Option("index folders of one encoder; of tiles that several have, the folder named last wins", "INDEX",
               positional=True),
    ]  # fmt: skip
    out: Annotated[Path, Option("index folder to write; it must not exist", "FOLDER")]
    other_size: Annotated[bool, Option("the indexes may show ground of different sizes")] = False


def run(options: MergeOptions) -> int:
    """Write a new index of all their tiles."""
    from indexer.index.tile_index import TileIndex
    from indexer.lifecycle.merge import merge_indexes

    refuse_existing(options.out)
    indexes = [TileIndex.open(folder, verify=True) for folder in options.indexes]
    try:
        merged = merge_indexes(indexes, options.out, other_size=options.other_size)
    finally:
        for index in indexes:
            index.close()
    for index, count in zip(indexes, merged.replaced, strict=True):
        if count:
            print_lines(f"{counted(count, 'tile')} of {index.folder} replaced by what an index named later has")
    print_lines(f"{options.out} holds {counted(merged.count, 'tile')}")
    return 0
