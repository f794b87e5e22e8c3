"""`export`: what an index holds, for other programs."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

from indexer.commands.options import IndexOptions
from indexer.commands.output import print_lines
from model.common.atomic_io import refuse_existing
from model.common.counted import counted
from model.common.flags import Option
from model.common.specs import spec

__all__ = ["ExportOptions", "run"]


@spec(kw_only=True)
class ExportOptions(IndexOptions):
    """Which index, in which form, and where to."""

    form: Annotated[
        Literal["geojson", "gpkg", "lance", "npy", "pmtiles", "stac"],
        Option(
            "footprints as geojson or gpkg (needs the extra geo), vectors as npy or lance (needs the extra lance), "
            "pictures as pmtiles, the index as a stac collection"
        ),
    ]
    out: Annotated[Path, Option("file to write, of lance a folder; it must not exist", "FILE")]
    since: Annotated[
        datetime.date | None,
        Option("leave out imagery that is older, or has no date", "YYYY-MM-DD", parse=datetime.date.fromisoformat),
    ] = None


def run(options: ExportOptions) -> int:
    """Write one file."""
    from indexer.index.tile_index import TileIndex
    from indexer.lifecycle.export import export_index

    refuse_existing(options.out)
    index = TileIndex.open(options.index, verify=True, since=options.since)
    try:
        count = export_index(index, options.form, options.out)
    finally:
        index.close()
    others = counted(index.count - count, "other", "has", "have")
    left = f"; {others} no picture any more" if count < index.count else ""
    print_lines(f"{options.out}: {counted(count, 'tile')} as {options.form}{left}")
    return 0
