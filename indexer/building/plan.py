"""What a build is going to do: which tiles, in which order, under which specification."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.building.ground_size import ground_size_notes
from indexer.building.specs import BuildSpec
from indexer.common.encoders import EncoderIdentity
from indexer.common.errors import BadSource
from indexer.tiles.depth import VALUE_BITS, probe_value_bits
from indexer.tiles.sources.options import DATE
from indexer.tiles.sources.source import TileSource
from indexer.tiles.sources.stamps import SourceFiles
from indexer.tiles.tile_table import TileTable
from model.common.garbage import garbage_left

__all__ = ["BuildPlan", "BuildSpec", "make_plan", "part_of"]


@dataclass(frozen=True)
class BuildPlan:
    """The tiles of a build in the order of their rows.

    Attributes:
        tiles: sorted along the space-filling curve.
        notes: remarks on what was left out, and on what does not fit the encoder.
        identity: what a resumed build must agree on beside the tiles of its shards, JSON values.
        source: kind, path and options, as the manifest keeps them.
        files: those that the tiles are read from, as they were when the plan was made.
    """

    tiles: TileTable
    notes: list[str]
    identity: dict[str, Any]
    source: dict[str, Any]
    files: SourceFiles

    @property
    def source_bytes(self) -> int:
        """Encoded bytes to read, as far as the source knows."""
        return int(self.tiles.size_bytes.sum())


def make_plan(
    source: TileSource, encoder: EncoderIdentity, out: Path, spec: BuildSpec, *, date: datetime.date | None = None
) -> BuildPlan:
    """List a source's tiles and put them in order.

    Args:
        source: where the tiles come from.
        encoder: will make the vectors.
        out: the index folder; the path of a source below its parent is kept relative to that.
        spec: how to work.
        date: when the pictures were taken.

    Raises:
        BadSource: it holds no tile, or two of one name.
    """
    with garbage_left():
        listing = source.list_tiles()
        tiles = listing.table.take(np.argsort(listing.table.curve_keys, kind="stable"))
        _refuse_doubles(tiles, source.path)
        root = source.path if source.path.is_dir() else source.path.parent
        files = SourceFiles(root, tiles, source)
        tiles = files.stamped(whole=spec.read_whole)
    where = getattr(source, "address", None) or _portable(source.path, out.parent.resolve())
    described = {"kind": source.kind, "path": where, **source.describe()}
    if date is not None:
        described[DATE] = date.isoformat()
    bits = probe_value_bits(source, tiles)
    if bits is not None:
        described[VALUE_BITS] = bits
        notes = [*listing.notes, f"pictures of 16 bits of which {bits} are used; all are drawn on that scale"]
    else:
        notes = listing.notes
    identity = {
        "encoder": encoder.digest,
        "numbers": encoder.numbers,
        "dim": encoder.dim,
        "anchors": encoder.inputs.anchors,
        "source": described,
        **spec.identity(),
    }
    notes = [*notes, *ground_size_notes(source.kind, tiles, encoder)]
    return BuildPlan(tiles, notes, identity, described, files)


def part_of(plan: BuildPlan, number: int, parts: int) -> BuildPlan:
    """One of several parts of a plan, each a stretch of the curve; all of them together are the plan.

    Args:
        plan: of the whole.
        number: 1 to `parts`.
        parts: how many there are.

    Raises:
        BadSource: there are more parts than tiles.
    """
    rows = np.array_split(np.arange(len(plan.tiles)), parts)[number - 1]
    if not len(rows):
        raise BadSource(f"part {number} of {parts} holds none of the {len(plan.tiles):,} tiles; take fewer parts")
    return replace(plan, tiles=plan.tiles.take(rows), identity=plan.identity | {"part": [number, parts]})


def _portable(path: Path, base: Path) -> str:
    """Relative to the index's parent where the tiles lie below it, so that both can move together."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _refuse_doubles(tiles: TileTable, where: Path) -> None:
    names, counts = np.unique(np.array(tiles.tile_id.tolist()), return_counts=True)
    if (counts > 1).any():
        name = names[counts > 1][0]
        raise BadSource(f"{where} names tile {name} {counts.max()} times; a tile's name must be unique")
