"""The regression finds what scikit-learn's finds when it is let run to the end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from indexer.confidence.regression import fit_logistic


def of_scikit_learn(features, right):
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(max_iter=10_000, tol=1e-10).fit(scaler.transform(features), right)
    return model.predict_proba(scaler.transform(features))[:, 1]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(80, 2_000), st.floats(0.0, 4.0))
def test_the_probabilities_are_those_of_scikit_learn(seed, photos, strength):
    random = np.random.default_rng(seed)
    features = random.normal(size=(photos, 5)) * [1e-2, 1.0, 1.0, 50.0, 1e3] + [0.8, 0.0, 3.0, 1e2, 0.0]
    right = random.random(photos) < 1 / (1 + np.exp(-strength * (features[:, 1] + features[:, 2] - 3)))
    right[:2] = True, False
    assert fit_logistic(features, right).of(features) == pytest.approx(of_scikit_learn(features, right), abs=1e-6)


def test_a_feature_that_never_changes_counts_for_nothing():
    features = np.random.default_rng(1).normal(size=(200, 2))
    right = features[:, 0] > 0
    with_it = np.insert(features, 1, 0.1, axis=1)
    found = fit_logistic(with_it, right)
    assert found.coefficients[1] == pytest.approx(0.0, abs=1e-12)
    assert found.of(with_it) == pytest.approx(fit_logistic(features, right).of(features), abs=1e-6)


def test_what_can_be_told_apart_for_certain_has_an_end():
    features = np.linspace(-1, 1, 200)[:, None]
    found = fit_logistic(features, features[:, 0] > 0)
    assert found.of(features) == pytest.approx(of_scikit_learn(features, features[:, 0] > 0), abs=1e-6)
