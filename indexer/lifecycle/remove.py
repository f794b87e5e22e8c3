"""Tiles out of an index: marked as removed; their bytes go when it is compacted."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from indexer.common.errors import BadChange, NoTilesInRegion
from indexer.index.segment import Segment
from indexer.lifecycle.change import IndexChange, Mask
from indexer.tiles.region import Region

__all__ = ["centred_inside", "remove_tiles"]


def remove_tiles(change: IndexChange, *, region: Region | None = None, ids: Collection[str] = ()) -> int:
    """Remove the tiles whose centres lie in a region, and those of some names; how many there were.

    Args:
        change: of the index.
        region: an area; its border belongs to it.
        ids: names of tiles.

    Raises:
        NoTilesInRegion: no centre lies there.
        BadChange: a name is not in the index, or no tile would be left.
    """
    segments = change.index.segments
    chosen = [np.zeros(len(segment.tiles), np.bool_) for segment in segments]
    if region is not None:
        chosen = [centred_inside(segment, region) for segment in segments]
        if not any(mask.any() for mask in chosen):
            raise NoTilesInRegion(
                f"no tile of {change.folder} has its centre in the given area (are latitude and longitude swapped?)"
            )
    _choose_named(change, chosen, set(ids))
    count = sum(int(mask.sum()) for mask in chosen)
    change.publish([mask | more for mask, more in zip(change.removed(), chosen, strict=True)])
    return count


def centred_inside(segment: Segment, region: Region) -> Mask:
    """bool [N], which rows that are part of the index have their centre in a region."""
    rows = segment.live_rows
    lat, lon = segment.tiles.lat[rows], segment.tiles.lon[rows]
    mask = np.zeros(len(segment.tiles), np.bool_)
    mask[rows[region.mask(lon, lat, lon, lat)]] = True
    return mask


def _choose_named(change: IndexChange, chosen: list[Mask], ids: set[str]) -> None:
    found: set[str] = set()
    for segment, mask in zip(change.index.segments, chosen, strict=True):
        if ids:
            rows = segment.live_rows
            names = segment.tiles.tile_id[rows].tolist()
            named = [number for number, name in enumerate(names) if name in ids]
            mask[rows[named]] = True
            found |= {names[number] for number in named}
    if missing := sorted(ids - found):
        others = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise BadChange(f"{change.folder} has no tile {missing[0]}{others}; nothing was removed")
