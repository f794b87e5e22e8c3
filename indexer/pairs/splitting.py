"""Photos to train on, to watch training by and to test with, in areas that lie apart.

Photos taken near each other show the same walls. A network that was trained on one knows the other, so a random split
flatters. Here whole areas are held out, and no photo to train on stands within `between_m` of one that is held out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadPhotos
from indexer.pairs.specs import SplitSpec
from model.common.geo import EARTH_RADIUS_M, LatLon

__all__ = ["BETWEEN", "PARTS", "split_by_area"]

PARTS = ("train", "val", "test")
"""The parts of a split; what `split_by_area` gives are positions in it."""
BETWEEN = -1
"""Of photos too near to a held-out one."""
_MOST_AREAS = 32
_LEAST_PER_AREA = 2
_CLUSTERINGS = 10
"""Tries from different starts, of which the best is kept."""
_SETTLED_M = 0.1
"""A try ends where photos come no nearer than this to the middles of their areas."""

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Mask = NDArray[np.bool_]


def split_by_area(places: Sequence[LatLon], split: SplitSpec) -> _Ints:
    """The part of each photo, int64 [N]: 0 to 2 as in `PARTS`, `BETWEEN` for those that are too near to another part.

    Areas are clusters of places. Those are held out that cost the fewest photos
    around them, so that a part may come out somewhat smaller or larger than asked.

    Raises:
        BadPhotos: the photos lie so near together that nothing would be left to train on or to hold out.
    """
    points = _unit_vectors(places)
    areas = _areas(points, split.seed)
    distance_m = _distances_m(points, areas)
    parts = np.zeros(len(places), np.int64)
    for part, share in ((2, split.test_share), (1, split.val_share)):
        chosen = _choose(areas, parts, distance_m, share * len(places), split.between_m)
        near = (distance_m[:, chosen].min(axis=1, initial=np.inf) < split.between_m) & (parts == 0)
        parts[near] = BETWEEN
        parts[near & np.isin(areas, chosen)] = part
    counts = {name: int((parts == number).sum()) for number, name in enumerate(PARTS)}
    if min(counts.values()) == 0:
        told = ", ".join(f"{count} for {name}" for name, count in counts.items())
        raise BadPhotos(
            f"the {len(places)} photos stand within {_extent_m(points):.0f} m and cannot be split so that "
            f"{split.between_m:g} m lie between the parts ({told}); add photos of other places, or lower --between-m"
        )
    return parts


def _unit_vectors(places: Sequence[LatLon]) -> _Floats:
    """Places on the unit sphere, float64 [N, 3], so that neither a pole nor the antimeridian is special."""
    lat, lon = np.radians([(place.lat, place.lon) for place in places]).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _areas(points: _Floats, seed: int) -> _Ints:
    """The area of each place: clusters, so many that an area has some photos."""
    from scipy.cluster.vq import kmeans, vq

    distinct = len(np.unique(points, axis=0))
    count = max(1, min(_MOST_AREAS, distinct, max(3, len(points) // _LEAST_PER_AREA)))
    centred = (points - points.mean(axis=0)) * EARTH_RADIUS_M  # in metres, which the tolerance is in
    middles, _ = kmeans(centred, count, iter=_CLUSTERINGS, thresh=_SETTLED_M, rng=seed)
    areas: _Ints = vq(centred, middles)[0].astype(np.int64)
    return areas


def _distances_m(points: _Floats, areas: _Ints) -> _Floats:
    """Metres from each photo to the nearest of each area, float64 [N, areas]."""
    from scipy.spatial import KDTree

    chords = [KDTree(points[areas == area]).query(points)[0] for area in range(areas.max() + 1)]
    distance_m: _Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.clip(np.stack(chords, axis=1) / 2, 0.0, 1.0))
    return distance_m


def _choose(areas: _Ints, parts: _Ints, distance_m: _Floats, wanted: float, between_m: float) -> list[int]:
    """Areas of photos not yet given away: each time the cheapest one, until a further one would cost more than none."""
    chosen: list[int] = []
    free = parts == 0
    held, cost = 0, np.inf
    while True:
        costs = {
            area: _cost([*chosen, area], areas, free, distance_m, wanted, between_m)
            for area in range(distance_m.shape[1])
            if area not in chosen and (areas[free] == area).any()
        }
        best = min(costs, key=lambda area: costs[area], default=None)
        if best is None or len(costs) == 1 or (held >= wanted / 2 and costs[best] >= cost):  # one stays to train on
            return chosen
        chosen.append(best)
        held, cost = int(np.isin(areas, chosen)[free].sum()), costs[best]


def _cost(held: list[int], areas: _Ints, free: _Mask, distance_m: _Floats, wanted: float, between_m: float) -> float:
    """Photos that are lost around some areas, and those that are held out beyond what is wanted, or short of it."""
    inside = np.isin(areas, held) & free
    lost = int(((distance_m[:, held].min(axis=1) < between_m) & free & ~inside).sum())
    return float(lost + abs(inside.sum() - wanted))


def _extent_m(points: _Floats) -> float:
    """Greatest distance from the middle, twice."""
    middle = points.mean(axis=0)
    return float(2 * EARTH_RADIUS_M * np.linalg.norm(points - middle, axis=1).max())
