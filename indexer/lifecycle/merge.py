"""Several indexes as one; where two have the same tile, the one named last wins."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from indexer.common.errors import BadChange, IndexMismatch
from indexer.index.index_manifest import SEGMENTS, IndexManifest, Removed
from indexer.index.manifest import MANIFEST, Manifest
from indexer.index.origins import STAMPS
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.change import Mask
from indexer.lifecycle.copies import source_below
from indexer.lifecycle.ground_sizes import require_like_sizes
from indexer.lifecycle.matching import live_tiles, rows_of_same
from model.common.atomic_io import staged_folder

__all__ = ["Merged", "merge_indexes"]


@dataclass(frozen=True)
class Merged:
    """What came of a merge.

    Attributes:
        count: number of tiles.
        replaced: for each index, how many of its tiles one named later has as well, which win.
    """

    count: int
    replaced: list[int]


def merge_indexes(indexes: Sequence[TileIndex], out: Path, *, other_size: bool = False) -> Merged:
    """Write a new index of the segments of others, which stay as they are; their files are linked, or else copied.

    The same tile is one of the same name, place and date. Of it, the index named last wins.

    Args:
        indexes: opened with `verify`, at least two of one encoder.
        out: the folder to write; it must not exist.
        other_size: whether tiles of one may show ground of another size than those of another.

    Raises:
        BadChange: there are less than two, or one is named twice, or they show ground of different sizes.
        IndexMismatch: they were built by different encoders, or with different anchors.
        OutputExists: `out` is there already.
    """
    _require_alike(indexes)
    if not other_size:
        require_like_sizes(indexes)
    out = out.absolute()
    segments = [(number, segment) for number, index in enumerate(indexes) for segment in index.segments]
    removed = [np.zeros(len(one.tiles), np.bool_) if one.removed is None else one.removed.copy() for _, one in segments]
    replaced = [0] * len(indexes)
    for later, (winner, segment) in enumerate(segments):
        tiles = live_tiles(segment)
        for earlier, (number, other) in enumerate(segments[:later]):
            if number != winner and other.date == segment.date:
                rows = rows_of_same(other, tiles)
                rows = rows[rows >= 0]
                replaced[number] += int((~removed[earlier][rows]).sum())
                removed[earlier][rows] = True
    with staged_folder(out) as staged:
        manifest = _write(staged, [one for _, one in segments], removed, out.parent.resolve())
    return Merged(manifest.count, replaced)


def _require_alike(indexes: Sequence[TileIndex]) -> None:
    if len(indexes) < 2 or len({index.folder for index in indexes}) < len(indexes):
        raise BadChange("a merge takes at least two indexes, each named once")
    first = indexes[0]
    for other in indexes[1:]:
        if _comparable(other) != _comparable(first):
            names = [f"{one.folder} of {one.manifest.encoder['name']}" for one in (first, other)]
            raise IndexMismatch(f"{' and '.join(names)} hold vectors that cannot be compared; rebuild one of them")
        if other.manifest.anchors != first.manifest.anchors:
            raise IndexMismatch(
                f"{first.folder} describes a tile around {first.anchors} points, {other.folder} around "
                f"{other.anchors}; rebuild one of them with the anchors of the other"
            )


def _comparable(index: TileIndex) -> tuple[object, ...]:
    """What must be equal for vectors to be compared."""
    encoder = index.manifest.encoder
    return encoder["digest"], encoder.get("numbers"), index.dim


def _write(staged: Path, segments: list[Segment], removed: list[Mask], base: Path) -> IndexManifest:
    manifests: dict[str, Manifest] = {}
    marks: dict[str, Removed] = {}
    for number, (segment, mask) in enumerate(zip(segments, removed, strict=True), 1):
        if mask.all():
            continue
        folder = staged / SEGMENTS / f"{number:06d}"
        folder.mkdir(parents=True)
        for name in (*segment.manifest.files, STAMPS):
            if (segment.folder / name).exists():
                _link(segment.folder / name, folder / name)
        manifest = replace(segment.manifest, source=source_below(segment, base))
        manifest.write(folder)
        path = f"{SEGMENTS}/{folder.name}/{MANIFEST}"
        manifests[path] = manifest
        if (written := Removed.write(staged, mask)) is not None:
            marks[path] = written
    merged = IndexManifest.of_segments(manifests, marks)
    merged.write(staged)
    return merged


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)  # segments never change, so two indexes can share a file
    except OSError:
        shutil.copyfile(source, target)
