"""`remove`: tiles of an area, or of some names, out of an index."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from indexer.commands.changes import print_state
from indexer.commands.options import AreaOptions, IndexOptions
from indexer.commands.output import print_lines
from model.common.counted import counted
from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.plain_files import read_plain
from model.common.specs import spec

__all__ = ["RemoveOptions", "run"]


@spec(kw_only=True)
class RemoveOptions(AreaOptions, IndexOptions):
    """Which tiles."""

    ids: Annotated[tuple[str, ...], Option("names of tiles", "TILE_ID")] = ()
    ids_from: Annotated[Path | None, Option("text file with a tile's name in each line", "FILE")] = None

    def check_together(self) -> None:
        """At least one way to say which."""
        super().check_together()
        if not (self.ids or self.ids_from or self.has_area):
            raise BadConfig(
                "nothing says which tiles to remove; give an area (--bbox, --near, --area, --track), or names (--ids, "
                "--ids-from)"
            )


def run(options: RemoveOptions) -> int:
    """Mark tiles as removed."""
    from indexer.lifecycle.change import changing
    from indexer.lifecycle.remove import remove_tiles

    ids = list(options.ids)
    if options.ids_from is not None:
        ids += [
            line for text in read_plain(options.ids_from, or_pipe=True).decode().splitlines() if (line := text.strip())
        ]
    with changing(options.index) as change:
        count = remove_tiles(change, region=options.region(), ids=ids)
    rows = counted(count, "row")
    print_lines(f"{counted(count, 'tile')} removed; `python -m indexer compact` frees {rows} on disk")
    print_state(change.folder, change.index.digest)
    return 0
