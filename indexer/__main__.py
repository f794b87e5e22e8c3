"""`python -m indexer pairs | build | add | localize | search | ...`, or `clnet-indexer`."""

from __future__ import annotations

from clnet_geolocalization import own_first

own_first()

import sys
from collections.abc import Sequence

from model.common.command_line import Command, run_command

__all__ = ["main"]

_COMMANDS = {
    "pairs": Command(
        "make pairs to train on, of your own photos and tiles", "indexer.commands.pairs:run", "PairsOptions"
    ),
    "build": Command(
        "embed every tile of a source and write an index folder", "indexer.commands.build:run", "BuildOptions"
    ),
    "add": Command(
        "embed the tiles of a source that an index does not have yet", "indexer.commands.add:run", "AddOptions"
    ),
    "update": Command(
        "embed what has changed in an index's sources, take out what is gone",
        "indexer.commands.update:run",
        "UpdateOptions",
    ),
    "remove": Command("take tiles out of an index, by area or by name", "indexer.commands.remove:run", "RemoveOptions"),
    "merge": Command("make one index of several", "indexer.commands.merge:run", "MergeOptions"),
    "split": Command("make an index of a part of another", "indexer.commands.split:run", "SplitOptions"),
    "compact": Command(
        "join the segments of an index and drop what was removed", "indexer.commands.compact:run", "CompactOptions"
    ),
    "export": Command(
        "write footprints or vectors of an index for other programs", "indexer.commands.export:run", "ExportOptions"
    ),
    "publish": Command("copy an index into a vector database", "indexer.commands.publish:run", "PublishOptions"),
    "localize": Command(
        "say where photos were taken, and how sure that is",
        "indexer.commands.localize:run",
        "LocalizeOptions",
        (
            "--index index photo.jpg",
            "--index index holiday/ --csv --out places.csv",
            "--index index photos.csv --geojson --out places.geojson",
            "--index index photo.jpg --near 47.1,8.5 --radius-m 2000 --heading-deg 90 --fov-deg 70",
            "--index index --together north.jpg east.jpg south.jpg",
            "--index index holiday/ --write-gps placed/ --min-confidence 0.9",
        ),
    ),
    "search": Command("find the tiles that look most like a photo", "indexer.commands.search:run", "SearchOptions"),
    "calibrate": Command(
        "fit how sure an answer is, on photos of known place", "indexer.commands.calibrate:run", "CalibrateOptions"
    ),
    "info": Command("print what an index holds", "indexer.commands.info:run", "InfoOptions"),
    "verify": Command(
        "check digests and counts, and embed a sample of tiles again", "indexer.commands.verify:run", "VerifyOptions"
    ),
}
_EXAMPLES = """examples:
  {prog} pairs --photos photos/ --tiles tiles/ --out pairs
  {prog} build --tiles tiles/ --out index
  {prog} build --tiles mosaic.tif --out index --tile-size-m 100 --stride-m 50 --dry-run
  {prog} add --index index --tiles tiles-of-2026/ --date 2026-06-01
  {prog} update --index index
  {prog} localize --index index photo.jpg folder-of-photos/ --csv
  {prog} search --index index --image photo.jpg --near 47.1,8.5 --radius-m 2000
  {prog} calibrate --index index --queries pairs.csv photos-from-elsewhere.csv
  {prog} verify --index index"""


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m indexer") -> int:
    """Parse, then import what the command needs, then run it; 0 when it worked, 1 when not, 2 for wrong arguments."""
    return run_command(
        _COMMANDS,
        sys.argv[1:] if argv is None else argv,
        prog=prog,
        description="Embed a satellite tile corpus into an index, and search it with a street-level photo.",
        epilog=_EXAMPLES.format(prog=prog),
    )


if __name__ == "__main__":
    sys.exit(main())
