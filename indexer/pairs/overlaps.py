"""Which training tiles show a photo besides its own, so that no batch takes them for wrong answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.common.geo import EARTH_RADIUS_M
from model.common.manifest_rows import ManifestRow

__all__ = ["name_overlaps"]


def name_overlaps(rows: Sequence[ManifestRow], reach_m: float) -> list[ManifestRow]:
    """The rows with the other tiles named that are centred within `reach_m` of their photo along both axes."""
    from scipy.spatial import KDTree

    lat, lon = np.array([(row.reference_lat, row.reference_lon) for row in rows], np.float64).T
    phi, theta = np.radians(lat), np.radians(lon)
    points = EARTH_RADIUS_M * np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)], axis=1)
    near = KDTree(points).query_ball_point(points, reach_m * math.sqrt(2.0))
    a_degree = math.radians(EARTH_RADIUS_M)
    named = []
    for row, others in zip(rows, near, strict=True):
        found = np.array(sorted(others), np.int64)
        north = abs(lat[found] - row.reference_lat) * a_degree
        apart = abs((lon[found] - row.reference_lon + 180.0) % 360.0 - 180.0)
        east = apart * a_degree * math.cos(math.radians(row.reference_lat))
        shown = {rows[other].reference for other in found[(north < reach_m) & (east < reach_m)].tolist()}
        named.append(replace(row, semi_positives=";".join(sorted(shown - {row.reference}))))
    return named
