"""Whether tiles show ground of one size: vectors of tiles of different scales do not compare well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from indexer.building.ground_size import tile_sides_m
from indexer.common.errors import BadChange
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.matching import live_tiles
from indexer.tiles.tile_table import TileTable
from model.common.atomic_io import canonical_json

__all__ = ["require_like_sizes", "require_size_of_index"]

_SAME_SIZE = 1.25
"""Factor up to which tiles count as showing ground of one size."""


def require_size_of_index(index: TileIndex, tiles: TileTable) -> None:
    """Make sure that tiles show ground of a size that an index has already.

    Raises:
        BadChange: they do not.
    """
    sizes = _sizes_of(segment.tiles for segment in index.segments)
    for side_m in tile_sides_m(tiles).values():
        if not _is_among(side_m, sizes):
            raise BadChange(
                f"the tiles show {side_m:.4g} m of ground, those of {index.folder} {_listed(sizes)} m; take the zoom "
                "or the cut of the index, or add --other-size if several sizes are wanted"
            )


def require_like_sizes(indexes: Sequence[TileIndex]) -> None:
    """Make sure that indexes show ground of one size, or that one of them has all the sizes of the others already.

    Parts of one source count as one where they have the same zooms: tiles of one zoom shrink towards the poles.

    Raises:
        BadChange: they do not.
    """
    sizes = [_sizes_of(map(live_tiles, index.segments)) for index in indexes]
    wanted = [side_m for each in sizes for side_m in each]
    for have in (*sizes, *_sizes_by_source([segment for index in indexes for segment in index.segments])):
        if all(_is_among(side_m, have) for side_m in wanted):
            return
    first, other = next(
        (one, two)
        for one in range(len(indexes))
        for two in range(len(indexes))
        if not all(_is_among(side_m, sizes[one]) for side_m in sizes[two])
    )
    raise BadChange(
        f"the tiles of {indexes[first].folder} show {_listed(sizes[first])} m of ground, those of "
        f"{indexes[other].folder} {_listed(sizes[other])} m; build one of them anew with the zoom or the cut of the "
        "other, or add --other-size if several sizes are wanted"
    )


def _sizes_by_source(segments: Sequence[Segment]) -> list[list[float]]:
    """The sizes in each source, opened with the same options, of the same zooms."""
    groups: dict[bytes, list[Segment]] = {}
    for segment in segments:
        zooms = np.unique(segment.tiles.z[segment.live_rows]).tolist()
        described = segment.manifest.source | {"path": segment.source_name, "zoom": zooms}
        groups.setdefault(canonical_json(described), []).append(segment)
    return [_sizes_of(map(live_tiles, group)) for group in groups.values()]


def _sizes_of(tables: Iterable[TileTable]) -> list[float]:
    """Sides in metres, ascending."""
    return sorted({side_m for tiles in tables for side_m in tile_sides_m(tiles).values()})


def _is_among(side_m: float, sizes: Sequence[float]) -> bool:
    return any(1 / _SAME_SIZE <= side_m / size_m <= _SAME_SIZE for size_m in sizes)


def _listed(sizes: Sequence[float]) -> str:
    return ", ".join(dict.fromkeys(f"{size_m:.4g}" for size_m in sizes))
