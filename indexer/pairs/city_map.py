"""A map of where photos stand, which part each belongs to, and which were left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.tiles.tile_table import TileTable
from model.common.geo import EARTH_RADIUS_M, LatLon
from model.common.pyplot import import_pyplot

__all__ = ["LEFT_OUT", "draw_map"]

LEFT_OUT = "left out"
"""The layer of photos that have a place and are not used."""
_LOOKS = {
    LEFT_OUT: ("x", "0.6", 12),
    "train": ("o", "#0072b2", 14),
    "val": ("s", "#e69f00", 18),
    "test": ("^", "#d55e00", 22),
}
"""Marker, colour and size; colours that differ for the colour-blind, too."""
_TILES_DRAWN = 20_000


def draw_map(path: Path, layers: Mapping[str, Sequence[LatLon]], tiles: TileTable, *, title: str) -> None:
    """Draw photos over the imagery's tiles, in metres from the middle of the photos, north up.

    Args:
        path: the PNG to write.
        layers: places by layer, whose names are those of `_LOOKS`; empty ones are not drawn.
        tiles: the imagery.
        title: stands above.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    plt = import_pyplot("a map of the photos")
    used = [place for name, places in layers.items() if name != LEFT_OUT for place in places]
    middle = LatLon(*(float(np.median(axis)) for axis in zip(*((one.lat, one.lon) for one in used), strict=True)))
    figure, axes = plt.subplots(figsize=(8, 7), layout="constrained")
    reach_m = 1.1 * max(60.0, float(np.abs(_metres(used, middle)).max()))
    _draw_tiles(axes, tiles, middle)
    for name, (marker, colour, size) in _LOOKS.items():
        if places := layers.get(name):
            x, y = _metres(places, middle).T
            axes.scatter(x, y, s=size, marker=marker, color=colour, label=f"{name} ({len(places):,})", linewidths=0.8)
    axes.set(
        title=title, xlabel="metres east", ylabel="metres north", xlim=(-reach_m, reach_m), ylim=(-reach_m, reach_m)
    )
    axes.set_aspect("equal")
    figure.legend(loc="outside right upper")
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


def _draw_tiles(axes: Any, tiles: TileTable, middle: LatLon) -> None:
    """The tiles' outlines, where there are not too many to see anything."""
    if len(tiles) > _TILES_DRAWN:
        return
    from matplotlib.collections import PolyCollection

    corners = [
        _metres_of(lat, lon, middle)
        for lat, lon in (
            (tiles.south, tiles.west),
            (tiles.south, tiles.east),
            (tiles.north, tiles.east),
            (tiles.north, tiles.west),
        )
    ]
    outlines = np.stack(corners, axis=1)
    axes.add_collection(PolyCollection(list(outlines), facecolors="0.96", edgecolors="0.85", linewidths=0.4))


def _metres(places: Sequence[LatLon], middle: LatLon) -> np.ndarray:
    """float64 [N, 2], metres east and north of the middle."""
    lat, lon = np.array([(place.lat, place.lon) for place in places], np.float64).T
    return _metres_of(lat, lon, middle)


def _metres_of(lat: np.ndarray, lon: np.ndarray, middle: LatLon) -> np.ndarray:
    a_degree = math.radians(EARTH_RADIUS_M)
    east = ((lon - middle.lon + 180.0) % 360.0 - 180.0) * a_degree * math.cos(math.radians(middle.lat))
    return np.stack([east, (lat - middle.lat) * a_degree], axis=1)
