import numpy as np
import pytest

from model.metrics import covers_place, positive_ranks, recall_at, recall_table, top_rows


def unit_rows(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def ranks_of(queries, references, positives):
    return positive_ranks(queries @ references.T, np.asarray(positives))


def test_a_perfect_model_ranks_every_positive_first():
    vectors = np.eye(5, dtype=np.float32)
    assert ranks_of(vectors, vectors, np.arange(5)).tolist() == [0] * 5


def test_constant_features_score_zero_not_a_hundred():
    same = unit_rows(np.ones((300, 64)))
    ranks = ranks_of(same, same, np.arange(300))
    assert recall_at(ranks, 1) == 0.0
    assert ranks.tolist() == [299] * 300


def test_scores_that_are_not_a_number_count_as_misses():
    broken = np.full((20, 8), np.nan, np.float32)
    assert ranks_of(broken, broken, np.arange(20)).tolist() == [19] * 20


def test_a_tied_rival_ranks_ahead_of_the_positive():
    references = unit_rows([[1, 0], [1, 0], [0, 1]])
    assert ranks_of(unit_rows([[1, 0]]), references, np.array([0])).tolist() == [1]


def test_ranks_by_hand():
    references = unit_rows([[1, 0], [0.8, 0.6], [0, 1]])
    queries = unit_rows([[1, 0.1], [0.1, 1]])
    assert ranks_of(queries, references, np.array([1, 0])).tolist() == [1, 2]


def test_several_queries_may_share_a_positive():
    references = np.eye(3, dtype=np.float32)
    assert ranks_of(references[[2, 2]], references, np.array([2, 2])).tolist() == [0, 0]


def test_ranks_agree_with_sorting_where_nothing_is_tied():
    random = np.random.default_rng(1)
    queries, references = (unit_rows(random.normal(size=(40, 32))) for _ in range(2))
    order = np.argsort(-(queries @ references.T), axis=1)
    expected = [int(np.flatnonzero(row == number)[0]) for number, row in enumerate(order)]
    assert ranks_of(queries, references, np.arange(40)).tolist() == expected


@pytest.mark.parametrize(("gallery", "expected"), [(1000, 40.0), (300, 30.0), (50, 20.0)])
def test_one_percent_is_rounded_down_to_at_least_one(gallery, expected):
    ranks = np.array([0, 0, 1, 5, 12, 20, 30, 40, 50, 60])
    assert recall_table(ranks, gallery)["recall@1%"] == expected


def scores_of(*rows):
    return np.array(rows, np.float32)


def test_the_top_row_is_the_positive_only_where_it_is_alone_at_the_top():
    scores = scores_of([0.9, 0.5, 0.1], [0.5, 0.5, 0.1], [0.1, 0.2, 0.7])
    positives = np.array([0, 0, 0])
    assert top_rows(scores, positives, positive_ranks(scores, positives)).tolist() == [0, 1, 2]


def test_a_gallery_of_one_is_always_found():
    scores = scores_of([0.5])
    assert top_rows(scores, np.array([0]), positive_ranks(scores, np.array([0]))).tolist() == [0]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.9, 0.5, 0.4, 0.1], (True, True)),
        ([0.5, 0.9, 0.4, 0.1], (True, True)),  # a semi-positive is first, the positive second
        ([0.3, 0.9, 0.4, 0.1], (True, False)),  # a semi-positive is first, a negative outranks the positive
        ([0.5, 0.4, 0.9, 0.1], (False, False)),
        ([0.5, 0.4, 0.5, 0.1], (False, False)),  # tied
        ([np.nan, 0.4, 0.5, 0.1], (False, False)),
    ],
)
def test_hit_rate_by_text_and_by_code(scores, expected):
    assert covers_place(np.array(scores, np.float32), 0, (1,)) == expected
