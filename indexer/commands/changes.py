"""What the commands that change an index share: its encoder, and how a build inside it is reported."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.commands.output import print_lines
from model.common.counted import counted

if TYPE_CHECKING:
    from indexer.building.build import BuildSummary
    from indexer.index.tile_index import TileIndex
    from indexer.tiles.sources.options import SourceOptions
    from indexer.tiles.sources.source import TileSource
    from model.network.encoder import Encoder
    from model.network.specs import EncoderOptions

__all__ = ["encoder_like", "opened_source", "print_build", "print_state"]


def encoder_like(index: TileIndex, options: EncoderOptions) -> Encoder:
    """The encoder of a checkpoint, with the anchors of an index."""
    from model.network.encoder import Encoder

    anchors = math.isqrt(index.anchors)
    return Encoder.load(options.checkpoint, device=options.device, engine=options.engine, anchors=anchors)


@contextmanager
def opened_source(text: str, options: SourceOptions) -> Iterator[TileSource]:
    """A tile source, closed in the end."""
    from indexer.tiles.sources.open_source import open_source

    source = open_source(text, options)
    try:
        yield source
    finally:
        source.close()


def print_build(summary: BuildSummary, name: object) -> None:
    """How a build ended, with its warnings."""
    taken_over = f" ({summary.resumed:,} taken over from an unfinished build)" if summary.resumed else ""
    print_lines(
        f"{name}: {summary.embedded:,} embedded, {summary.skipped:,} skipped, {summary.failed:,} failed; "
        f"{summary.tiles_per_s:.0f} tiles/s, {summary.seconds:.1f} s{taken_over}",
        *([f"  {summary.stages}"] if summary.stages.wall else []),
        *(f"  failed {tile_id}: {reason}" for tile_id, reason in summary.reasons),
        *(f"  {note}" for note in summary.notes if note.startswith("warning")),
    )


def print_state(folder: Path, before: str) -> None:
    """What an index holds now, and that a calibration of what it held before is none of it."""
    from indexer.confidence.storage import CALIBRATION
    from indexer.index.index_manifest import IndexManifest

    manifest = IndexManifest.read(folder)
    print_lines(f"{folder} holds {counted(manifest.count, 'tile')} in {counted(len(manifest.segments), 'segment')}")
    if manifest.digest != before and (folder / CALIBRATION).exists():
        print_lines("its calibration was made for what it held before; run `python -m indexer calibrate` again")
