"""Tables of each pair's nearest pairs: on the ground, or by what a network makes of them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from model.common.errors import BadDataset
from model.data.pairs import PairSet

__all__ = ["nearest_places", "nearest_vectors"]

_ROWS = 1024
"""Queries scored against all tiles at once."""


def nearest_places(pairs: PairSet, count: int) -> NDArray[np.int32]:
    """The pairs nearest to each pair by great-circle distance, nearest first, int32 [Q, min(count, Q - 1)].

    A query without a location of its own stands where its tile is centred.

    Raises:
        BadDataset: neither is known.
    """
    from sklearn.neighbors import BallTree

    places = np.radians(_lat_lon(pairs))  # the metric takes radians; degrees would go unnoticed
    _, rows = BallTree(places, metric="haversine").query(places, k=min(count + 1, len(places)))
    return _without_self(rows)


def nearest_vectors(
    ground: NDArray[np.float32], tiles: NDArray[np.float32], count: int, *, device: torch.device | None = None
) -> NDArray[np.int32]:
    """The pairs whose tiles are most similar to each query, most similar first, int32 [Q, min(count, Q - 1)].

    Args:
        ground: float32 [Q, D] unit vectors.
        tiles: float32 [Q, D] unit vectors; row i is the tile of query i.
        count: pairs wanted for each.
        device: where to compare; the CPU unless given.
    """
    kept, rows = min(count + 1, len(tiles)), []
    columns = torch.from_numpy(tiles).to(device).T
    for start in range(0, len(ground), _ROWS):
        scores = torch.from_numpy(ground[start : start + _ROWS]).to(device) @ columns  # scores[query, pair]
        own = torch.arange(len(scores), device=device)
        scores[own, start + own] = torch.inf  # so that it stands first
        rows.append(scores.topk(kept, dim=1).indices.cpu().numpy())
    return _without_self(np.concatenate(rows))


def _without_self(rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """[Q, K + 1] -> [Q, K]: each row less itself, or less its last where others at the same spot crowded it out."""
    other = rows != np.arange(len(rows))[:, None]
    other[other.all(axis=1), -1] = False
    neighbours: NDArray[np.int32] = rows[other].reshape(len(rows), -1).astype(np.int32)
    return neighbours


def _lat_lon(pairs: PairSet) -> NDArray[np.float64]:
    """Degrees [Q, 2]."""
    places = []
    for query, positive in zip(pairs.queries, pairs.positives.tolist(), strict=True):
        place = query.location or pairs.references[positive].location
        if place is None:
            raise BadDataset(
                f"{pairs.name} does not say where {query.path} was taken, nor where its tile lies; "
                "add lat and lon to the manifest, or choose data.sampler.kind random or similarity"
            )
        places.append((place.lat, place.lon))
    return np.array(places, np.float64)
