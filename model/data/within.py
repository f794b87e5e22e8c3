"""Which references lie within some metres of each query: positives by place, as CVACT's own protocol counts them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.data.pairs import PairSet, Query, Reference
from model.errors import BadConfig, BadDataset
from model.geo import EARTH_RADIUS_M

__all__ = ["references_within"]


def references_within(pairs: PairSet, radius_m: float) -> tuple[NDArray[np.int64], ...]:
    """For each query the rows, ascending, of the references at most `radius_m` away; none where nothing is.

    Measured on the data set's plane where it brings one, else along great circles.

    Raises:
        BadConfig: the radius is no length.
        BadDataset: a query or reference has no coordinates.
    """
    from scipy.spatial import cKDTree

    if not 0 < radius_m < math.pi * EARTH_RADIUS_M:
        raise BadConfig(f"the radius is {radius_m} m; give a length above 0, for example 5")
    if pairs.query_xy_m is not None and pairs.reference_xy_m is not None:
        queries, references, reach = pairs.query_xy_m, pairs.reference_xy_m, radius_m
    else:
        queries, references = _on_sphere(pairs.name, pairs.queries), _on_sphere(pairs.name, pairs.references)
        reach = 2 * EARTH_RADIUS_M * math.sin(radius_m / EARTH_RADIUS_M / 2)  # the chord of the arc
    found = cKDTree(references).query_ball_point(queries, reach, return_sorted=True)
    return tuple(np.array(rows, np.int64) for rows in found)


def _on_sphere(name: str, items: Sequence[Query | Reference]) -> NDArray[np.float64]:
    """Points [N, 3] in metres from the centre of the Earth."""
    places = [item.location for item in items]
    known = [(place.lat, place.lon) for place in places if place is not None]
    if len(known) < len(places):
        raise BadDataset(
            f"{name} has coordinates for {len(known)} of {len(places)} pictures; distances need those of all"
        )
    lat, lon = np.radians(known).T
    return EARTH_RADIUS_M * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
