"""Photos of one place share a fold, and the folds are those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from indexer.confidence.folds import spread


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(100, 300), st.integers(5, 150), st.floats(0.1, 0.9))
def test_the_folds_are_those_of_scikit_learn(seed, photos, places, share):
    random = np.random.default_rng(seed)
    place = np.concatenate([np.arange(5), random.integers(0, places, photos - 5)])
    right = random.random(photos) < share
    right[:10], right[10:20] = True, False
    fold = spread(right, place, 5)
    theirs = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(place, right, place)
    assert [np.flatnonzero(fold == number).tolist() for number in range(5)] == [test.tolist() for _, test in theirs]


def test_each_place_lies_in_one_fold_and_right_and_wrong_photos_are_shared_out():
    place = np.repeat(np.arange(100), 3)
    right = np.random.default_rng(1).random(300) < 0.3
    fold = spread(right, place, 5)
    assert all(len(set(fold[place == one].tolist())) == 1 for one in range(100))
    for kind in (right, ~right):
        assert np.bincount(fold[kind]) == pytest.approx(np.full(5, kind.sum() / 5), abs=5)
