"""An area as a condition on a collection's fields: true of every tile that touches it, and of few others.

What is true of a box is decided by the database; a circle, polygons and tracks are boxed, and what the database finds
in the box is tested here.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from indexer.common.errors import NotInDatabase
from indexer.milvus.schema import DAY, REACH, day_of
from indexer.tiles.areas import PolygonRegion, TrackRegion
from indexer.tiles.region import BoxRegion, CircleRegion, RecentImagery, Region
from indexer.tiles.tile_table import TileRecord
from model.common.geo import Bounds

__all__ = ["condition", "touches"]

_SLACK_DEG = 1e-9
"""Widening of the box, a tenth of a millimetre, so that rounding rules nothing out; `touches` is exact."""


def condition(region: Region | None, *, since: datetime.date | None = None, crossing: bool = True) -> str:
    """What the database is told; empty where every tile counts.

    Args:
        region: the area.
        since: leave out imagery that is older, or has no date.
        crossing: whether a tile may lie over the antimeridian.

    Raises:
        NotInDatabase: the area is of a kind that has no box.
    """
    days = [day_of(since.isoformat())] if since else []
    if isinstance(region, RecentImagery):
        days.append(day_of(region.since.isoformat()))
        region = region.area
    parts = [f"{DAY} >= {max(days)}"] if days else []
    if region is not None:
        parts.append(_in_box(_box_of(region), crossing))
    return " and ".join(parts)


def touches(region: Region | None, tiles: list[TileRecord]) -> np.ndarray:
    """bool [N], which tiles touch an area."""
    if region is None or not tiles:
        return np.ones(len(tiles), np.bool_)
    edges = np.array([tile.bounds.as_tuple() for tile in tiles], np.float64).T
    mask: np.ndarray = region.mask(*edges)
    return mask


def _box_of(region: Any) -> Bounds:
    if isinstance(region, BoxRegion | CircleRegion | PolygonRegion | TrackRegion):
        return region.bounds
    raise NotInDatabase(
        f"an area of the kind {type(region).__name__} cannot be asked of a collection; give a box, a circle, polygons "
        "or a track, or search an index folder"
    )


def _in_box(box: Bounds, crossing: bool) -> str:
    south, north = box.south - _SLACK_DEG, box.north + _SLACK_DEG
    inside = f"south <= {_text(north)} and north >= {_text(south)}"
    if (box.east - box.west) % 360.0 == 0.0 and box.east != box.west:
        return f"({inside})"
    beside = " or ".join(_spans(box, crossing))
    poles = [f"north >= {_text(90.0 - _SLACK_DEG)}"] * (box.north == 90.0)  # where all longitudes are one point
    poles += [f"south <= {_text(_SLACK_DEG - 90.0)}"] * (box.south == -90.0)
    return f"({inside} and ({' or '.join([beside, *poles])}))"


def _spans(box: Bounds, crossing: bool) -> list[str]:
    """Tiles reach from `west` in [-180, 180] to `reach` in [-180, 540); the box is laid beside them at every turn."""
    west, east = box.west - _SLACK_DEG, box.east + _SLACK_DEG
    if box.west > box.east:
        east += 360.0
    turns = [0.0] + [-360.0] * (east >= 180.0) + [360.0] * (crossing or west <= -180.0)
    return [f"(west <= {_text(east + turn)} and {REACH} >= {_text(west + turn)})" for turn in turns]


def _text(degrees: float) -> str:
    """Without an exponent, which not every version reads."""
    return f"{degrees:.12f}"
