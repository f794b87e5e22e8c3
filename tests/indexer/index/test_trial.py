from pathlib import Path

import numpy as np
import pytest

from indexer.index.trial import MOST_QUERIES, NOISE, Trial, joined_trial, noisy_trial, spread
from tests.indexer.index.test_exact_search import unit


def test_noisy_queries_lie_at_the_stated_angle_from_their_vectors() -> None:
    random = np.random.default_rng(3).standard_normal((500, 32)).astype(np.float32)
    vectors = random / np.linalg.norm(random, axis=1, keepdims=True)
    trial = noisy_trial(vectors.astype(np.float16))
    own = vectors[spread(500, 100)]
    assert (trial.queries * own).sum(axis=1) == pytest.approx(0.7, abs=0.01)
    assert np.linalg.norm(trial.queries, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert trial.kind == NOISE


def test_queries_of_segments_are_joined_and_thinned(tmp_path: Path) -> None:
    kept = []
    for number, kind in enumerate(("photos", "photos", "panoramas")):
        folder = tmp_path / str(number)
        folder.mkdir()
        Trial(unit(150), kind).write(folder)
        kept.append((folder, kind))
    (tmp_path / "none").mkdir()
    joined = joined_trial([*kept, (tmp_path / "none", NOISE)])
    assert joined is not None
    assert joined.kind == "photos and panoramas"
    assert joined.queries.shape == (MOST_QUERIES, 32)
    assert np.linalg.norm(joined.queries, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert joined_trial([(tmp_path / "none", NOISE)]) is None
