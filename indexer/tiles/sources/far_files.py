"""Files of a mosaic that lie far from all others, as one does whose UTM zone is that of the wrong hemisphere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.optional import load_rasterio
from indexer.tiles.sources.bands import RasterFile
from model.common.geo import EARTH_RADIUS_M, LatLon, great_circle_m

__all__ = ["FAR_M", "far_files"]

FAR_M = 1_000_000.0
"""Ground without any file between two parts of a mosaic, beyond which one of them is doubted."""
_BLOCK = 512
"""Files compared with all others at once; of 10,000 files that takes 40 MB."""

_Floats = NDArray[np.float64]


def far_files(files: Sequence[RasterFile]) -> list[str]:
    """A warning of the files that lie far from the largest group of neighbours, with the distance of the farthest.

    Args:
        files: of one mosaic.
    """
    centres, radii_m = _circles(files)
    groups = _groups(centres, radii_m)
    largest = int(np.bincount(groups).argmax()) if len(files) > 1 else 0
    far, rest = np.flatnonzero(groups != largest), np.flatnonzero(groups == largest)
    if not len(far):
        return []
    worst_m, row, beside = max(
        _farthest(centres, radii_m, far[at : at + _BLOCK], rest) for at in range(0, len(far), _BLOCK)
    )
    file, nearest = files[row], files[beside]
    others = f", like {len(far) - 1:,} more," if len(far) > 1 else ""
    half = _other_half(file, nearest.bounds.centre)
    doubt = f"In the {half} half of its UTM zone it would lie beside it: " if half else ""
    return [
        f"warning: {file.name}{others} lies {worst_m / 1000:,.0f} km from the nearest of the other "
        f"files, {nearest.name}. {doubt}Is its reference system that of another place? If it is right, index it by "
        "itself"
    ]


def _circles(files: Sequence[RasterFile]) -> tuple[_Floats, _Floats]:
    """(centres as [n, 3] unit vectors, how far in metres the corners lie from them)."""
    centres, radii_m = np.empty((len(files), 3)), np.empty(len(files))
    for row, file in enumerate(files):
        centre, box = file.bounds.centre, file.bounds
        lat, lon = math.radians(centre.lat), math.radians(centre.lon)
        centres[row] = math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
        edge = (LatLon(lat, lon) for lat in (box.south, centre.lat, box.north) for lon in (box.west, box.east))
        radii_m[row] = max(great_circle_m(centre, place) for place in edge)
    return centres, radii_m


def _groups(centres: _Floats, radii_m: _Floats) -> NDArray[np.int64]:
    """[n] which group each file belongs to: from neighbour to neighbour within one, no way is longer than FAR_M."""
    groups = np.full(len(centres), -1, np.int64)
    while len(left := np.flatnonzero(groups < 0)):
        reached, number = left[:1], int(groups.max(initial=-1)) + 1
        while len(reached):
            groups[reached] = number
            left = np.flatnonzero(groups < 0)
            near = np.zeros(len(left), np.bool_)
            for at in range(0, len(reached), _BLOCK):
                near |= (_gaps_m(centres, radii_m, reached[at : at + _BLOCK], left) < FAR_M).any(axis=0)
            reached = left[near]
    return groups


def _farthest(
    centres: _Floats, radii_m: _Floats, far: NDArray[np.int64], rest: NDArray[np.int64]
) -> tuple[float, int, int]:
    """(metres, which file, to which of the rest) of the file that is farthest from the nearest of the rest."""
    gaps_m = _gaps_m(centres, radii_m, far, rest)
    worst = int(gaps_m.min(axis=1).argmax())
    nearest = int(gaps_m[worst].argmin())
    return float(gaps_m[worst, nearest]), int(far[worst]), int(rest[nearest])


def _gaps_m(centres: _Floats, radii_m: _Floats, rows: NDArray[np.int64], others: NDArray[np.int64]) -> _Floats:
    """[rows, others] metres of ground between files, at least; negative where they may overlap."""
    cosines = np.clip(centres[rows] @ centres[others].T, -1.0, 1.0)
    apart_m: _Floats = np.arccos(cosines) * EARTH_RADIUS_M
    return apart_m - radii_m[rows][:, None] - radii_m[others][None]


def _other_half(file: RasterFile, near: LatLon) -> str:
    """`northern` or `southern`, whichever half of its UTM zone would put a file near a place; empty where none does."""
    crs: Any = file.place.crs
    rasterio, centre = load_rasterio(), file.bounds.centre
    try:
        said = crs.to_dict()
        if said.get("proj") != "utm":
            return ""
        turned = {name: value for name, value in said.items() if name != "south"}
        turned |= {} if said.get("south") else {"south": True}
        x, y = rasterio.warp.transform("EPSG:4326", crs, [centre.lon], [centre.lat])
        lon, lat = rasterio.warp.transform(rasterio.crs.CRS.from_dict(turned), "EPSG:4326", x, y)
        there = LatLon(lat[0], lon[0])
    except Exception:  # it has no place in the other half; GDAL's errors have no common base
        return ""
    return ("northern" if said.get("south") else "southern") if great_circle_m(there, near) < FAR_M else ""
