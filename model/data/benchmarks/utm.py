"""From UTM to latitude and longitude on the WGS 84 ellipsoid: Krüger's series to the third order in the flattening.

Right to less than a millimetre within a zone. Karney, "Transverse Mercator with an accuracy of a few nanometers",
https://arxiv.org/abs/1002.1417.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["utm_to_lat_lon"]

_A_M = 6_378_137.0
"""Equatorial radius of WGS 84."""
_F = 1 / 298.257223563
"""Flattening of WGS 84."""
_K0 = 0.9996
"""Scale along a zone's central meridian."""
_FALSE_EASTING_M = 500_000.0
_FALSE_NORTHING_M = 10_000_000.0
"""Added south of the equator."""

_N = _F / (2 - _F)
_RADIUS_M = _A_M / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_BETA = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96,
    _N**2 / 48 + _N**3 / 15,
    17 * _N**3 / 480,
)
_DELTA = (
    2 * _N - 2 * _N**2 / 3 - 2 * _N**3,
    7 * _N**2 / 3 - 8 * _N**3 / 5,
    56 * _N**3 / 15,
)


def utm_to_lat_lon(
    easting_m: ArrayLike, northing_m: ArrayLike, *, zone: int, south: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(lat, lon) in degrees of points in one UTM zone, 1 to 60; the arrays broadcast."""
    false_northing_m = _FALSE_NORTHING_M if south else 0.0
    xi = (np.asarray(northing_m, np.float64) - false_northing_m) / (_K0 * _RADIUS_M)
    eta = (np.asarray(easting_m, np.float64) - _FALSE_EASTING_M) / (_K0 * _RADIUS_M)
    straight = xi - sum(b * np.sin(2 * j * xi) * np.cosh(2 * j * eta) for j, b in enumerate(_BETA, 1))
    across = eta - sum(b * np.cos(2 * j * xi) * np.sinh(2 * j * eta) for j, b in enumerate(_BETA, 1))
    conformal = np.arcsin(np.sin(straight) / np.cosh(across))
    lat = conformal + sum(d * np.sin(2 * j * conformal) for j, d in enumerate(_DELTA, 1))
    lon = np.arctan2(np.sinh(across), np.cos(straight))
    return np.degrees(lat), np.degrees(lon) + zone * 6.0 - 183.0
