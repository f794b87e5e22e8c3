"""Whether tiles show ground of the size that the encoder was trained on: a network reads scales that it has seen."""

from __future__ import annotations

import math

import numpy as np

from indexer.common.encoders import EncoderIdentity
from indexer.tiles.tile_table import TileTable
from model.common.geo import EARTH_RADIUS_M

__all__ = ["ground_size_notes", "tile_side_m", "tile_sides_m"]

_TOLERANCE = 1.25
"""Factor beyond the sizes of training from which on it is worth a word."""


def tile_side_m(tiles: TileTable) -> float:
    """Median height of the tiles' ground, in metres."""
    return float(np.median(np.radians(tiles.north - tiles.south)) * EARTH_RADIUS_M)


def tile_sides_m(tiles: TileTable) -> dict[int, float]:
    """The same for each zoom; -1 stands for tiles off the grid."""
    return {int(zoom): tile_side_m(tiles.take(tiles.z == zoom)) for zoom in np.unique(tiles.z)}


def ground_size_notes(kind: str, tiles: TileTable, encoder: EncoderIdentity) -> list[str]:
    """A warning where tiles show much more or less ground than the encoder was trained on, if it tells.

    Args:
        kind: of the source: what can be done instead depends on it.
        tiles: what would be indexed.
        encoder: who would describe them.
    """
    trained: tuple[float, float] | None = getattr(encoder, "ground_m", None)
    if trained is None:
        return []
    least_m, greatest_m = trained
    sizes = f"{least_m:.0f} m" if least_m == greatest_m else f"{least_m:.0f} to {greatest_m:.0f} m"
    sides = tile_sides_m(tiles)
    return [
        f"tiles{f' of zoom {zoom}' if len(sides) > 1 else ''} show {side_m:.0f} m of ground and {encoder.name} was "
        f"trained on {sizes}: expect worse matches. {_remedy(kind, zoom, side_m, math.sqrt(least_m * greatest_m))}"
        for zoom, side_m in sides.items()
        if not least_m / _TOLERANCE <= side_m <= greatest_m * _TOLERANCE
    ]


def _remedy(kind: str, zoom: int, side_m: float, wanted_m: float) -> str:
    """How to get tiles of about the wanted side out of this source."""
    if kind == "raster":
        return f"Have them cut at that size, with --tile-size-m {wanted_m:.0f}"
    if zoom < 0:
        return "List tiles of that size, or take another checkpoint"
    fitting = zoom + round(math.log2(side_m / wanted_m))
    return f"Take tiles of zoom {fitting} if there are any (--zoom {fitting}), or another checkpoint"
