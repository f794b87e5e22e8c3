"""Ranks, recall and average precision: by hand, and against scikit-learn on random scores with ties."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    coverage_error,
    label_ranking_average_precision_score,
    top_k_accuracy_score,
)

from model.common.errors import BadConfig
from model.evaluation.metrics import (
    NEVER,
    TIE,
    TIES,
    Scoring,
    average_precisions,
    median_rank,
    one_percent,
    rank_interval,
    recall_at,
    recall_table,
)


def unit_rows(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def stand(scores, positives, left_out=()):
    positives = np.atleast_1d(np.array(positives, np.int64))
    return rank_interval(np.array(scores, np.float32), positives, np.array(left_out, np.int64))


def intervals_of(queries, references, positives):
    scores = queries @ references.T
    return np.stack([stand(row, positive).interval for row, positive in zip(scores, positives, strict=True)])


def test_a_perfect_model_ranks_every_positive_first():
    vectors = np.eye(5, dtype=np.float32)
    assert intervals_of(vectors, vectors, np.arange(5)).tolist() == [[0, 0]] * 5


def test_constant_features_score_zero_not_a_hundred_unless_asked_to():
    same = unit_rows(np.ones((300, 64)))
    intervals = intervals_of(same, same, np.arange(300))
    assert intervals.tolist() == [[0, 299]] * 300
    assert [recall_at(intervals, 1, ties) for ties in TIES] == [0.0, 100.0, pytest.approx(100 / 300)]
    assert recall_at(intervals, 150, "average") == pytest.approx(50.0)
    assert [median_rank(intervals, ties) for ties in TIES] == [300.0, 1.0, 150.5]


def test_whole_counts_give_the_shortest_numbers():
    intervals = np.repeat(np.array([[0, 0], [9, 9]]), [9_110, 890], axis=0)
    assert recall_at(intervals, 1) == 91.1


@pytest.mark.parametrize("ties", TIES)
def test_scores_that_are_not_a_number_count_as_misses_by_every_rule(ties):
    intervals = np.stack([stand([np.nan] * 8, 3).interval, stand([0.1, 0.2, 0.3, np.nan, 0, 0, 0, 0], 3).interval])
    assert intervals.tolist() == [[7, 7]] * 2
    assert recall_at(intervals, 5, ties) == 0.0


def test_a_rival_that_is_not_a_number_is_ahead():
    assert stand([0.9, np.nan, 0.1], 0).interval.tolist() == [1, 1]


def test_a_tied_rival_may_go_on_either_side_of_the_positive():
    found = stand([1.0, 1.0, 0.0], 0)
    assert found.interval.tolist() == [0, 1]
    assert found.top == 1
    intervals = found.interval[np.newaxis]
    assert [recall_at(intervals, 1, ties) for ties in TIES] == [0.0, 100.0, 50.0]


def test_a_score_at_the_very_distance_of_a_tie_is_tied_on_either_side():
    own = np.float32(0.5)
    above, below = own + np.float32(TIE), own - np.float32(TIE)
    assert stand([own, above], 0).interval.tolist() == [0, 1]
    assert stand([own, below], 0).interval.tolist() == [0, 1]
    assert stand([own, np.nextafter(above, np.float32(1))], 0).interval.tolist() == [1, 1]
    assert stand([own, np.nextafter(below, np.float32(0))], 0).interval.tolist() == [0, 0]


def test_ranks_by_hand():
    references = unit_rows([[1, 0], [0.8, 0.6], [0, 1]])
    queries = unit_rows([[1, 0.1], [0.1, 1]])
    assert intervals_of(queries, references, [1, 0]).tolist() == [[1, 1], [2, 2]]


def test_several_queries_may_share_a_positive():
    references = np.eye(3, dtype=np.float32)
    assert intervals_of(references[[2, 2]], references, [2, 2]).tolist() == [[0, 0], [0, 0]]


def test_of_several_positives_the_best_counts_and_none_is_a_rival():
    found = stand([0.9, 0.8, 0.7, 0.6, 0.5], [3, 1, 2])
    assert found.before.tolist() == [[1, 1], [1, 1], [1, 1]]
    assert found.top == 0
    assert stand([0.1, 0.8, 0.7], [2, 1]).top == 1


def test_what_is_left_out_is_no_rival_and_never_first():
    found = stand([0.9, 0.5, 0.7, 0.6], 1, [0, 2])
    assert found.interval.tolist() == [1, 1]
    assert found.top == 3
    assert stand([0.9, 0.5], 1, [0]).top == 1
    assert rank_interval(np.array([0.9, 0.5], np.float32), np.array([1]), []).interval.tolist() == [1, 1]


def test_a_gallery_of_one_is_always_found():
    assert stand([0.5], 0).interval.tolist() == [0, 0]
    assert stand([0.5], 0).top == 0


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.9, 0.5, 0.4, 0.1], (0, 0)),
        ([0.5, 0.9, 0.4, 0.1], (0, 0)),  # a semi-positive is first, the positive second
        ([0.3, 0.9, 0.4, 0.1], (0, 1)),  # a semi-positive is first, a negative outranks the positive
        ([0.5, 0.4, 0.9, 0.1], (1, 1)),
        ([0.5, 0.4, 0.5, 0.1], (1, 1)),  # tied
        ([np.nan, 0.4, 0.5, 0.1], (1, 2)),
    ],
)
def test_the_hit_rate_by_prose_and_by_code(scores, expected):
    by_prose, by_code = stand(scores, [0, 1]), stand(scores, 0, [1])
    assert (by_prose.interval[1], by_code.interval[1]) == expected


@pytest.mark.parametrize(
    ("before", "by_area", "by_steps"),
    [
        ([0], 1.0, 1.0),
        ([1], 0.25, 0.5),  # a single match at the second place
        ([2], (0 + 1 / 3) / 2, 1 / 3),
        ([0, 0], 1.0, 1.0),
        ([0, 1], (1 + (1 / 2 + 2 / 3) / 2) / 2, (1 + 2 / 3) / 2),
        ([1, 1], ((0 + 1 / 2) / 2 + (1 / 2 + 2 / 3) / 2) / 2, (1 / 2 + 2 / 3) / 2),
    ],
)
def test_average_precision_by_hand(before, by_area, by_steps):
    assert average_precisions(np.array(before)) == pytest.approx([by_area, by_steps])


@pytest.mark.parametrize(
    ("gallery", "rule", "expected"),
    [
        (8884, "floor", 88), (92802, "floor", 928), (90618, "floor", 906), (46563, "floor", 465), (50, "floor", 1),
        (8884, "floor+1", 89), (92802, "floor+1", 929), (90618, "floor+1", 907), (46563, "floor+1", 466),
        (951, "round+1", 11), (701, "round+1", 8), (951, "floor", 9), (50, "floor+1", 1),
    ],
)  # fmt: skip
def test_one_percent_by_each_published_rule(gallery, rule, expected):
    assert one_percent(gallery, rule) == expected


def test_the_table_uses_the_rules_asked_for():
    intervals = np.repeat(np.array([0, 0, 1, 5, 9, 10, 10, 12])[:, np.newaxis], 2, axis=1)
    assert recall_table(intervals, 951)["recall@1%"] == 50.0
    assert recall_table(intervals, 951, rule="round+1")["recall@1%"] == 87.5
    assert recall_table(intervals, 951) | {"recall@1%": 0} == {
        "recall@1": 25.0, "recall@5": 37.5, "recall@10": 62.5, "recall@1%": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("ties", "expected"), [("pessimistic", 0.0), ("optimistic", 100.0), ("average", 200 / 3)])
def test_the_table_counts_ties_as_asked(ties, expected):
    """Two rivals are tied with the positive of every query; 1 % are the first two places."""
    spans = np.repeat([[0, 2]], 4, axis=0)
    table = recall_table(spans, 200, ties=ties, ks=[2])
    assert table == {"recall@2": pytest.approx(expected), "recall@1%": pytest.approx(expected)}


def test_the_median_rank_counts_ties_as_asked_and_the_worst_where_nothing_is():
    spans = np.array([[0, 0], [1, 3], [4, 20]])
    assert [median_rank(spans, ties) for ties in TIES] == [4.0, 2.0, 3.0]
    assert median_rank(spans) == 4.0


def test_without_a_rule_one_percent_is_rounded_down():
    assert [one_percent(gallery) for gallery in (50, 951)] == [1, 9]


@pytest.mark.parametrize("ties", TIES)
def test_what_is_not_in_the_gallery_is_never_found(ties):
    assert recall_at(np.full((3, 2), NEVER), 10**9, ties) == 0.0


def random_case(seed, levels):
    """Scores [40, 25] with few different values, and 1 to 6 positives a query."""
    random = np.random.default_rng(seed)
    scores = (random.integers(0, levels, (40, 25)) / levels).astype(np.float32)
    right = np.zeros((40, 25), np.int64)
    for row in right:
        row[random.choice(25, random.integers(1, 7), replace=False)] = 1
    return scores, right


@pytest.mark.parametrize("seed", range(5))
def test_with_ties_and_one_positive_the_rank_is_that_of_scikit_learn(seed):
    scores, _ = random_case(seed, levels=6)
    positives = np.random.default_rng(seed).integers(0, 25, 40)
    ranks = np.array([stand(row, positive).interval[1] for row, positive in zip(scores, positives, strict=True)])
    right = np.eye(25, dtype=np.int64)[positives]
    for row in range(40):
        assert ranks[row] + 1 == coverage_error(right[row : row + 1], scores[row : row + 1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("levels", [4, 10**6])
def test_the_step_rule_is_that_of_scikit_learn_where_both_say_the_same(seed, levels):
    scores, right = random_case(seed, levels)
    for row, truth in zip(scores, right, strict=True):
        before = stand(row, np.flatnonzero(truth)).before
        if levels > 25:
            assert average_precisions(before)[1] == pytest.approx(np.repeat(average_precision_score(truth, row), 2))
        elif truth.sum() == 1:  # among tied positives scikit-learn gives all the last one's place
            assert average_precisions(before)[1, 1] == pytest.approx(
                label_ranking_average_precision_score(truth[np.newaxis], row[np.newaxis])
            )


@pytest.mark.parametrize("k", [1, 3, 10])
def test_recall_is_the_top_k_accuracy_of_scikit_learn_where_nothing_is_tied(k):
    scores, _ = random_case(7, levels=10**6)
    positives = np.random.default_rng(7).integers(0, 25, 40)
    intervals = np.stack([stand(row, positive).interval for row, positive in zip(scores, positives, strict=True)])
    expected = top_k_accuracy_score(positives, scores, k=k, labels=range(25)) * 100
    for ties in TIES:
        assert recall_at(intervals, k, ties) == pytest.approx(expected)


def place_in_random_order(scores, positive, random):
    """The place of one positive after sorting with ties in random order."""
    order = np.lexsort((random.random(len(scores)), -scores))
    return int(np.flatnonzero(order == positive)[0])


def test_average_ties_are_the_mean_over_orders_of_the_tied():
    random = np.random.default_rng(3)
    scores = np.array([0.5, 0.9, 0.5, 0.5, 0.1, 0.5], np.float32)
    places = np.array([place_in_random_order(scores, 0, random) for _ in range(4000)])
    intervals = stand(scores, 0).interval[np.newaxis]
    for k in range(1, 7):
        assert recall_at(intervals, k, "average") == pytest.approx((places < k).mean() * 100, abs=3.0)


def published_average_precision(order, good):
    """The loop over a sorted list as FIELD's formula has it: 1/n sum of (precision before + precision) / 2."""
    rows = np.flatnonzero(np.isin(order, good))
    total = 0.0
    for number, row in enumerate(rows):
        precision = (number + 1) / (row + 1)
        before = number / row if row else 1.0
        total += (before + precision) / 2 / len(good)
    return total


@pytest.mark.parametrize("seed", range(3))
def test_the_trapezoid_rule_is_that_of_the_published_loop(seed):
    scores, right = random_case(seed, levels=10**6)
    for row, truth in zip(scores, right, strict=True):
        good = np.flatnonzero(truth)
        expected = published_average_precision(np.argsort(-row), good)
        assert average_precisions(stand(row, good).before)[0] == pytest.approx([expected] * 2)


SET = {"references": 951, "distractors": 250, "positives": (1, 54)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"ties": "lucky"}, {"one_percent": "2"}, {"distractors": "hide"}, {"within_m": (5.0, 0.0)},
        {"within_m": (float("nan"),)}, {"within_m": (float("inf"),)},
    ],
)  # fmt: skip
def test_a_rule_that_nobody_has_is_refused(wrong):
    with pytest.raises(BadConfig, match="the protocol"):
        Scoring(**wrong)


def test_every_choice_is_told():
    strict = Scoring().as_json(**SET)
    assert strict == {
        "positives": "1 to 54 a query, the best counts",
        "ties": "pessimistic: they count against the model",
        "recall@1%": "the first 9: 1 % of 951, rounded down, at least 1",
        "distractors": "kept, 250 of 951 references",
    }
    as_published = Scoring("optimistic", "round+1", "drop", (5.0, 25.0)).as_json(**SET)
    assert "for the model" in as_published["ties"]
    assert as_published["recall@1%"].startswith("the first 11: 1 % of 951")
    assert as_published["distractors"] == "dropped, 250 of 951 references"
    assert as_published["within_m"] == [5.0, 25.0]


@pytest.mark.parametrize(
    ("positives", "words"),
    [
        ((1, 1), "one a query"),
        ((2, 2), "2 a query, the best counts"),
        ((1, 2), "1 to 2 a query, the best counts"),
        ((0, 3), "0 to 3 a query, the best counts"),
    ],
)
def test_a_result_says_how_many_positives_its_queries_have(positives, words):
    assert Scoring().as_json(references=10, distractors=2, positives=positives)["positives"] == words
