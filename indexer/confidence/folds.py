"""Which photos are left out together while fitting: those of one place, with right and wrong ones shared out evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["spread"]

_Ints = NDArray[np.int64]


def spread(right: NDArray[np.bool_], places: _Ints, folds: int) -> _Ints:
    """The fold of each photo, int64 [N] in 0 ... folds - 1; the same as by scikit-learn's `StratifiedGroupKFold`.

    The places that are the most one-sided come first, in a random order where they are equally so. Each goes to the
    fold with which the folds' shares of the right photos, and of the wrong ones, stay most alike; of such folds, to
    the one with the fewest photos.

    Args:
        right: [N] whether a photo is placed well enough; some are, and some are not.
        places: [N] the number of a photo's place; at least `folds` different ones.
        folds: how many.
    """
    place = np.unique(places, return_inverse=True)[1]
    counts = np.stack([np.bincount(place[kind], minlength=place.max() + 1) for kind in (~right, right)], axis=1)
    fold_of, held = np.zeros(len(counts), np.int64), np.zeros((folds, 2))
    order = np.random.RandomState(0).permutation(len(counts))
    for one in order[np.argsort(-counts[order].std(axis=1), kind="stable")]:
        fold_of[one] = _best_fold(held, counts[one], counts.sum(axis=0))
        held[fold_of[one]] += counts[one]
    return fold_of[place]


def _best_fold(held: NDArray[np.float64], added: _Ints, whole: _Ints) -> int:
    """Where some photos go: photos that each fold has [F, 2], those that come [2] and all that there are [2]."""
    after = held + np.eye(len(held))[:, :, None] * added  # [fold they go to, fold, kind]
    uneven = (after / whole).std(axis=1).mean(axis=1)
    best = 0
    for fold in range(1, len(held)):
        alike = np.isclose(uneven[fold], uneven[best]) and held[fold].sum() < held[best].sum()
        if uneven[fold] < uneven[best] or alike:
            best = fold
    return best
