"""New tiles into an index: those that it does not have yet become a segment of their own."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from indexer.building.build import BuildSummary, build_index
from indexer.building.plan import BuildPlan, make_plan
from indexer.building.specs import BuildSpec
from indexer.common.encoders import EncoderIdentity, TileEncoder
from indexer.common.errors import BadChange, IndexMismatch
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.change import IndexChange
from indexer.lifecycle.equal_pictures import notes_on_known_pictures
from indexer.lifecycle.ground_sizes import require_size_of_index
from indexer.lifecycle.matching import rows_of_same
from indexer.tiles.sources.source import TileSource
from model.common.counted import counted

__all__ = ["Addition", "add_tiles", "plan_addition", "require_same_making"]


@dataclass(frozen=True)
class Addition:
    """What an addition is going to do.

    Attributes:
        plan: of the tiles that are new.
        known: number of tiles that are in the index already, by name, place and date.
    """

    plan: BuildPlan
    known: int


def plan_addition(
    index: TileIndex,
    source: TileSource,
    encoder: EncoderIdentity,
    spec: BuildSpec,
    *,
    date: datetime.date | None = None,
    other_size: bool = False,
) -> Addition:
    """List a source and pick the tiles that an index does not have.

    Args:
        index: what is there.
        source: where the tiles come from.
        encoder: will make the vectors; the one that made the others.
        spec: how to work.
        date: when the pictures were taken; tiles of another date are other tiles.
        other_size: whether tiles may show ground of another size than those of the index.

    Raises:
        BadSource: the source holds no tile.
        BadChange: its tiles show ground of another size.
        IndexMismatch: another encoder, or other anchors.
    """
    require_same_making(index, encoder)
    plan = make_plan(source, encoder, index.folder, spec, date=date)
    if not other_size:
        require_size_of_index(index, plan.tiles)
    day = date.isoformat() if date else None
    new = np.ones(len(plan.tiles), np.bool_)
    for segment in index.segments:
        if segment.date == day:
            new &= rows_of_same(segment, plan.tiles) < 0
    return Addition(replace(plan, tiles=plan.tiles.take(new)), int((~new).sum()))


def add_tiles(
    change: IndexChange,
    addition: Addition,
    source: TileSource,
    encoder: TileEncoder,
    *,
    spec: BuildSpec | None = None,
    restart: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stages: Callable[[str], object] = lambda _: None,
) -> BuildSummary:
    """Embed what is new and put it into the index.

    Killed, it leaves the index as it was and its finished shards inside; the same call goes on from them.

    Raises:
        BadChange: there is nothing new.
        NothingUsable, TooManyFailures, BuildConflict, DiskFull: as for a build.
    """
    if not len(addition.plan.tiles):
        raise BadChange(
            f"nothing is new of the {counted(addition.known, 'tile')} of {source.path}: all known to {change.folder} "
            "already, by name, place and date; "
            "`python -m indexer update` looks which have changed, and a --date keeps both"
        )
    target = change.new_segment()
    summary = build_index(
        source, encoder, target, spec=spec, plan=addition.plan, restart=restart, on_progress=on_progress,
        on_stages=on_stages,
    )  # fmt: skip
    notes = notes_on_known_pictures(change.index, target)
    change.publish(change.removed(), [target])
    return replace(summary, notes=summary.notes + notes)


def require_same_making(index: TileIndex, encoder: EncoderIdentity) -> None:
    """Make sure that an encoder makes vectors like those of an index.

    Raises:
        IndexMismatch: it is another, or describes tiles around other points.
    """
    index.require_encoder(encoder)
    if [tuple(point) for point in encoder.inputs.anchor_points] != index.manifest.anchors:
        raise IndexMismatch(
            f"index {index.folder} describes a tile around {index.anchors} points; this encoder would around "
            f"{len(encoder.inputs.anchor_points)}. Load it with the same anchors"
        )
