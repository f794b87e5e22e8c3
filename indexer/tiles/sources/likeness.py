"""Files of a mosaic that are of another kind than the others: coarse among fine ones, grey among coloured ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexer.tiles.sources.bands import RasterFile

__all__ = ["unlike_files"]

_COARSER = 3.0
"""Times the finest pixel; scenes of one mosaic differ by less, in other latitudes and zones, too."""


def unlike_files(files: Sequence[RasterFile]) -> list[str]:
    """Warnings of pictures that a mosaic would not show as they are looked for."""
    if len(files) < 2:
        return []
    pixels_m = np.array([file.mercator_res_m for file in files])
    coarse = np.flatnonzero(pixels_m > _COARSER * pixels_m.min()).tolist()
    grey = [row for row, file in enumerate(files) if file.colours.palette is None and len(set(file.colours.bands)) == 1]
    remarks = []
    if coarse:
        fine, worst = files[int(pixels_m.argmin())], files[coarse[0]]
        remarks.append(
            f"warning: {_named(worst.name, coarse)} has pixels {worst.mercator_res_m / fine.mercator_res_m:.0f} times "
            f"those of {fine.name}, so where it alone lies, tiles are blown up; index it by itself, or take it out"
        )
    if 0 < len(grey) < len(files):
        remarks.append(
            f"warning: {_named(files[grey[0]].name, grey)} is grey and others are coloured, so equal ground looks "
            "different; index it by itself, or take it out"
        )
    return remarks


def _named(name: str, rows: Sequence[int]) -> str:
    return name + (f", like {len(rows) - 1:,} more," if len(rows) > 1 else "")
