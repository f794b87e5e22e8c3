import numpy as np
import pytest

from model import metrics
from model.metrics import positive_ranks, recall_at, recall_table


def unit_rows(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_perfect_model_ranks_every_positive_first():
    vectors = np.eye(5, dtype=np.float32)
    assert positive_ranks(vectors, vectors, np.arange(5)).tolist() == [0] * 5


def test_constant_features_score_zero_not_a_hundred():
    same = unit_rows(np.ones((300, 64)))
    ranks = positive_ranks(same, same, np.arange(300))
    assert recall_at(ranks, 1) == 0.0
    assert ranks.tolist() == [299] * 300


def test_scores_that_are_not_a_number_count_as_misses():
    broken = np.full((20, 8), np.nan, np.float32)
    assert positive_ranks(broken, broken, np.arange(20)).tolist() == [19] * 20


def test_a_tied_rival_ranks_ahead_of_the_positive():
    references = unit_rows([[1, 0], [1, 0], [0, 1]])
    assert positive_ranks(unit_rows([[1, 0]]), references, np.array([0])).tolist() == [1]


def test_ranks_by_hand():
    references = unit_rows([[1, 0], [0.8, 0.6], [0, 1]])
    queries = unit_rows([[1, 0.1], [0.1, 1]])
    assert positive_ranks(queries, references, np.array([1, 0])).tolist() == [1, 2]


def test_several_queries_may_share_a_positive():
    references = np.eye(3, dtype=np.float32)
    assert positive_ranks(references[[2, 2]], references, np.array([2, 2])).tolist() == [0, 0]


def test_blocks_do_not_change_the_ranks(monkeypatch):
    random = np.random.default_rng(0)
    queries, references = (unit_rows(random.normal(size=(count, 16))) for count in (70, 90))
    positives = random.integers(0, 90, 70)
    whole = positive_ranks(queries, references, positives)
    monkeypatch.setattr(metrics, "_BLOCK_BYTES", 4 * 90 * 7)
    assert np.array_equal(positive_ranks(queries, references, positives), whole)


def test_ranks_agree_with_sorting_where_nothing_is_tied():
    random = np.random.default_rng(1)
    queries, references = (unit_rows(random.normal(size=(40, 32))) for _ in range(2))
    order = np.argsort(-(queries @ references.T), axis=1)
    expected = [int(np.flatnonzero(row == number)[0]) for number, row in enumerate(order)]
    assert positive_ranks(queries, references, np.arange(40)).tolist() == expected


@pytest.mark.parametrize(("gallery", "expected"), [(1000, 40.0), (300, 30.0), (50, 20.0)])
def test_one_percent_is_rounded_down_to_at_least_one(gallery, expected):
    ranks = np.array([0, 0, 1, 5, 12, 20, 30, 40, 50, 60])
    assert recall_table(ranks, gallery)["recall@1%"] == expected
