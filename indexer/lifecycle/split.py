"""A part of an index as an index of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from indexer.common.errors import NoTilesInRegion
from indexer.index.index_manifest import SEGMENTS, IndexManifest
from indexer.index.manifest import MANIFEST
from indexer.index.search_spec import SearchChange
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.copies import grouped_by_source, source_below, write_joined
from indexer.lifecycle.remove import centred_inside
from indexer.tiles.region import Region
from model.common.atomic_io import staged_folder

__all__ = ["split_index"]


def split_index(index: TileIndex, region: Region, out: Path, *, search: SearchChange | None = None) -> int:
    """Write the tiles whose centres lie in a region as a new index; how many. The index itself stays as it is.

    Areas that touch each other share the tiles out: all of them together, each tile once but for centres on a border.

    Args:
        index: opened with `verify`.
        region: an area; its border belongs to it.
        out: the folder to write; it must not exist.
        search: what a search without an area may cost, where that is no longer what was asked of the segments.

    Raises:
        BadRecipe: no codes are small enough for the memory, or the recall cannot be reached.
        NoTilesInRegion: no centre lies there.
        OutputExists: `out` is there already.
    """
    out = out.absolute()
    chosen = [np.flatnonzero(centred_inside(segment, region)) for segment in index.segments]
    if not any(map(len, chosen)):
        raise NoTilesInRegion(
            f"no tile of {index.folder} has its centre in the given area (are latitude and longitude swapped?)"
        )
    groups = grouped_by_source(index.segments)
    groups = [left for numbers in groups if (left := [number for number in numbers if len(chosen[number])])]
    with staged_folder(out) as staged:
        manifests = {}
        for place, numbers in enumerate(groups):
            folder = staged if len(groups) == 1 else staged / SEGMENTS / f"{place + 1:06d}"
            folder.mkdir(parents=True, exist_ok=True)
            source = source_below(index.segments[numbers[0]], out.parent.resolve())
            parts = [(index.segments[number], chosen[number]) for number in numbers]
            path = (folder / MANIFEST).relative_to(staged).as_posix()
            manifests[path] = write_joined(folder, parts, source=source, search=search)
        if len(groups) > 1:
            IndexManifest.of_segments(manifests).write(staged)
    return sum(map(len, chosen))
