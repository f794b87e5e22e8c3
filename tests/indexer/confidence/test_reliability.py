"""The measures of a confidence, against values worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from indexer.confidence.reliability import Bin, Distances, calibration_error, measure, reliability_bins


def flags(text: str) -> np.ndarray:
    return np.array([letter == "x" for letter in text])


def test_calibration_error_by_hand():
    bins = reliability_bins(np.array([0.9, 0.1, 0.8, 0.2, 0.7, 0.7]), flags("x...xx"), count=3)
    # sorted: 0.1 -, 0.2 - | 0.7 x, 0.7 x | 0.8 -, 0.9 x
    assert bins == (
        Bin(pytest.approx(0.15), 0.0, 2),
        Bin(pytest.approx(0.7), 1.0, 2),
        Bin(pytest.approx(0.85), 0.5, 2),
    )
    assert calibration_error(bins) == pytest.approx((0.15 + 0.3 + 0.35) / 3)


def test_bins_of_unequal_mass_weigh_by_their_photos():
    bins = reliability_bins(np.array([0.0, 0.0, 1.0]), flags("xx."), count=2)
    assert [one.photos for one in bins] == [2, 1]
    assert calibration_error(bins) == pytest.approx(1.0)


def test_fewer_photos_than_bins():
    assert len(reliability_bins(np.array([0.5, 0.6]), flags("x."))) == 2


def test_a_perfect_confidence_has_no_error():
    confidence = np.repeat([0.0, 1.0], 50)
    measured = measure(
        confidence, confidence == 1, confidence == 1, best_tile_m=10 * np.ones(100), fused_m=np.ones(100)
    )
    assert (measured.ece, measured.brier, measured.auroc, measured.auroc_inside) == (0.0, 0.0, 1.0, 1.0)


def test_brier_auroc_and_distances_by_hand():
    measured = measure(
        np.array([0.2, 0.6, 0.4, 0.8]),
        flags(".x.x"),
        flags("xx.."),
        best_tile_m=np.array([10.0, 20.0, 5_000.0, 5_000.0]),
        fused_m=np.array([5.0, 5.0, 9_000.0, 9_000.0]),
    )
    assert measured.brier == pytest.approx((0.04 + 0.16 + 0.16 + 0.04) / 4)
    assert measured.auroc == 1.0
    assert measured.auroc_inside == 0.25
    assert measured.best_tile == Distances(15.0, 19.0)
    assert measured.fused == Distances(5.0, 5.0)
    assert measured.as_json()["base_rate"] == 0.5


def test_ties_count_half():
    same = np.full(4, 0.5)
    assert measure(same, flags("x..x"), flags("xxxx"), best_tile_m=same, fused_m=same).auroc == 0.5


def test_what_one_kind_cannot_tell_is_none():
    measured = measure(np.array([0.5]), flags("x"), flags("."), best_tile_m=np.ones(1), fused_m=np.ones(1))
    assert (measured.auroc, measured.auroc_inside, measured.best_tile, measured.fused) == (None, None, None, None)


def test_better_means_both_numbers_clearly():
    assert Distances(1.0, 5.0).beats(Distances(2.0, 6.0))
    assert not Distances(1.0, 6.0).beats(Distances(2.0, 6.0))
    assert not Distances(1.999, 5.0).beats(Distances(2.0, 6.0))
    assert not Distances(1.0, 5.0).beats(None)


@pytest.mark.parametrize("levels", [3, 1_000_000])
def test_the_area_under_the_curve_is_that_of_scikit_learn(levels):
    random = np.random.default_rng(levels)
    confidence = random.integers(0, levels, 500) / levels
    right = random.random(500) < confidence
    nothing = np.zeros(500)
    checked = measure(confidence, right, np.ones(500, bool), best_tile_m=nothing, fused_m=nothing)
    assert checked.auroc == pytest.approx(roc_auc_score(right, confidence), abs=1e-12)
