"""Whether tiles show ground of the size that the encoder was trained on: a network reads scales that it has seen."""

from __future__ import annotations

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


def ground_size_notes(tiles: TileTable, encoder: EncoderIdentity) -> list[str]:
    """A warning where tiles show much more or less ground than the encoder was trained on, if it tells."""
    trained: tuple[float, float] | None = getattr(encoder, "ground_m", None)
    if trained is None:
        return []
    least_m, greatest_m = trained
    sizes = f"{least_m:.0f} m" if least_m == greatest_m else f"{least_m:.0f} to {greatest_m:.0f} m"
    sides = tile_sides_m(tiles)
    return [
        f"tiles{f' of zoom {zoom}' if len(sides) > 1 else ''} show {side_m:.0f} m of ground and {encoder.name} was "
        f"trained on {sizes}: expect worse matches. Take tiles of another zoom (each step halves or doubles the "
        "ground), or another checkpoint"
        for zoom, side_m in sides.items()
        if not least_m / _TOLERANCE <= side_m <= greatest_m * _TOLERANCE
    ]
