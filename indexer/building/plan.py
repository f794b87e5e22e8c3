"""What a build is going to do: which tiles, in which order, under which specification."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.common.encoders import EncoderIdentity
from indexer.common.errors import BadSource
from indexer.tiles.sources.source import TileSource
from indexer.tiles.sources.stamps import HasMembers, SourceFiles
from indexer.tiles.tile_table import TileTable

__all__ = ["BuildPlan", "BuildSpec", "make_plan"]


@dataclass(frozen=True)
class BuildSpec:
    """How a build works. The same specification on the same tiles and machine gives the same bytes.

    Attributes:
        batch_size: tiles in one call of the encoder.
        shard_tiles: tiles between two points from which a killed build resumes.
        exact_up_to: number of tiles beyond which an approximate index is made for searches without a region.
        workers: threads that read and decode; None takes one a processor. Does not change the result.
    """

    batch_size: int = 64
    shard_tiles: int = 1024
    exact_up_to: int = 300_000
    workers: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "shard_tiles"):
            if getattr(self, name) < 1:
                raise BadSource(f"{name} is {getattr(self, name)}; give at least 1")
        if self.workers is not None and self.workers < 1:
            raise BadSource(f"workers is {self.workers}; give at least 1")

    @property
    def threads(self) -> int:
        """Number of reading threads."""
        return self.workers or os.cpu_count() or 1

    def identity(self) -> dict[str, int]:
        """The part that the result depends on."""
        return {key: value for key, value in asdict(self).items() if key != "workers"}


@dataclass(frozen=True)
class BuildPlan:
    """The tiles of a build in the order of their rows.

    Attributes:
        tiles: sorted along the space-filling curve.
        notes: remarks on what was left out.
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


def make_plan(source: TileSource, encoder: EncoderIdentity, out: Path, spec: BuildSpec) -> BuildPlan:
    """List a source's tiles and put them in order.

    Raises:
        BadSource: it holds no tile, or two of one name.
    """
    listing = source.list_tiles()
    tiles = listing.table.take(np.argsort(listing.table.curve_keys, kind="stable"))
    _refuse_doubles(tiles, source.path)
    root = source.path if source.path.is_dir() else source.path.parent
    files = SourceFiles(root, tiles, source.members() if isinstance(source, HasMembers) else None)
    tiles = files.stamped()
    described = {"kind": source.kind, "path": _portable(source.path, out.parent.resolve()), **source.describe()}
    identity = {
        "encoder": encoder.digest,
        "dim": encoder.dim,
        "anchors": encoder.inputs.anchors,
        "source": described,
        **spec.identity(),
    }
    return BuildPlan(tiles, listing.notes, identity, described, files)


def _portable(path: Path, base: Path) -> str:
    """Relative to the index's parent where the tiles lie below it, so that both can move together."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _refuse_doubles(tiles: TileTable, where: Path) -> None:
    names, counts = np.unique(tiles.tile_id.astype(str), return_counts=True)
    if (counts > 1).any():
        name = names[counts > 1][0]
        raise BadSource(f"{where} names tile {name} {counts.max()} times; a tile's name must be unique")
