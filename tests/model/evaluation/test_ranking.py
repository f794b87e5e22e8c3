"""Hand-made scores judged by the readings that the field disagrees on."""

import numpy as np
import pytest

from model.common.errors import BadConfig
from model.evaluation import ranking
from model.evaluation.ground_truth import GroundTruth
from model.evaluation.metrics import Scoring
from model.evaluation.ranking import EmbeddedQueries, Ranker, best_over_copies, queries_at_once, rank_queries
from model.evaluation.results import Evaluation

METRE_DEG = 1 / 111_195


def truth_of(positives, references, *, semi=(), places=None, centres=None):
    def degrees(metres, count):
        if metres is None:
            return np.full((count, 2), np.nan)
        return np.array([[47.0 + metre * METRE_DEG, 8.5] for metre in metres])

    return GroundTruth(
        "hand-made",
        tuple(f"q{n}" for n in range(len(positives))),
        tuple(f"r{n}" for n in range(references)),
        tuple(np.array(rows, np.int64) for rows in positives),
        tuple(np.array(rows, np.int64) for rows in semi),
        degrees(places, len(positives)),
        degrees(centres, references),
    )


def measure(truth, scores, **rules):
    scoring = Scoring(**rules)
    query_results = Ranker(truth, scoring).query_results(np.array(scores, np.float32), np.arange(len(scores)))
    return Evaluation.of(query_results.located(truth), truth, scoring, {})


def test_distractors_kept_or_dropped_as_the_published_numbers_differ():
    truth = truth_of([[0]], 3, centres=None)  # references 1 and 2 are distractors
    scores = [[0.5, 0.9, 0.1]]  # a distractor first, the right one second
    kept, dropped = measure(truth, scores), measure(truth, scores, distractors="drop")
    assert (kept.recall["recall@1"], kept.further["ap"], kept.gallery) == (0.0, 25.0, 3)
    assert (dropped.recall["recall@1"], dropped.further["ap"], dropped.gallery) == (100.0, 100.0, 1)
    assert kept.further["ap_step"] == 50.0
    assert dropped.protocol["distractors"] == "dropped, 2 of 3 references"


def test_a_dropped_distractor_is_behind_every_score_even_the_lowest_cosine():
    truth = truth_of([[0], [2]], 3)
    result = measure(truth, [[-0.5, 0.9, -0.9], [-0.8, 0.9, -0.6]], distractors="drop")
    assert (result.recall["recall@1"], result.further["ap"], result.median_rank) == (100.0, 100.0, 1.0)


def test_many_positives_as_from_satellite_to_drone():
    truth = truth_of([[0, 1], [2]], 4)
    result = measure(truth, [[0.9, 0.5, 0.7, 0.1], [0.2, 0.8, 0.9, 0.1]])
    assert result.recall["recall@1"] == 100.0
    assert result.further["ap"] == pytest.approx(100 * ((1 + (1 / 2 + 2 / 3) / 2) / 2 + 1) / 2)
    assert result.protocol["positives"] == "1 to 2 a query, the best counts"


def test_by_id_and_within_five_metres():
    truth = truth_of([[0], [1], [2]], 3, places=[0.0, 4.0, 500.0], centres=[0.0, 4.0, 900.0])
    scores = [[0.5, 0.9, 0.1], [0.1, 0.9, 0.5], [0.1, 0.2, 0.9]]
    result = measure(truth, scores, within_m=(5.0, 1000.0))
    assert result.recall["recall@1"] == pytest.approx(100 * 2 / 3)
    assert result.further["recall@1_within_5m"] == pytest.approx(100 * 2 / 3)  # nothing lies near the third
    assert result.further["recall@10_within_5m"] == pytest.approx(100 * 2 / 3)
    assert result.further["recall@1_within_1000m"] == 100.0
    assert result.further["distance_m_median"] == pytest.approx(4.0, rel=1e-3)


def test_a_dropped_distractor_is_not_near_either():
    truth = truth_of([[0]], 2, places=[0.0], centres=[10.0, 0.0])
    result = measure(truth, [[0.1, 0.9]], within_m=(5.0,), distractors="drop")
    assert result.further["recall@10_within_5m"] == 0.0


def test_a_radius_needs_every_coordinate():
    truth = truth_of([[0]], 2, places=[0.0])
    with pytest.raises(BadConfig, match="2 of 2 references"):
        measure(truth, [[0.1, 0.9]], within_m=(5.0,))


def test_ties_are_counted_as_asked_in_every_number():
    truth = truth_of([[0], [1]], 4, semi=[[1], [0]])
    same = np.full((2, 4), 0.5)
    results = {ties: measure(truth, same.copy(), ties=ties) for ties in ("pessimistic", "optimistic", "average")}
    assert [result.recall["recall@1"] for result in results.values()] == [0.0, 100.0, 25.0]
    assert [result.further["hit_rate"] for result in results.values()] == [0.0, 100.0, pytest.approx(100 / 3)]
    assert [result.further["hit_rate_by_code"] for result in results.values()] == [0.0, 100.0, pytest.approx(100 / 3)]
    assert [result.median_rank for result in results.values()] == [4.0, 1.0, 2.5]
    low, high, middle = (result.further["ap"] for result in results.values())
    assert (low, high, middle) == (12.5, 100.0, 56.25)


def test_the_hit_rate_by_prose_is_never_below_that_by_code():
    random = np.random.default_rng(0)
    truth = truth_of([[n] for n in range(30)], 40, semi=[[(n + 1) % 40, (n + 2) % 40] for n in range(30)])
    further = measure(truth, random.random((30, 40))).further
    assert further["hit_rate"] >= further["hit_rate_by_code"]


def test_blocks_and_copies_are_joined():
    random = np.random.default_rng(1)
    truth = truth_of([[n] for n in range(6)], 9)
    gallery = random.normal(size=(9, 8)).astype(np.float32)
    vectors = random.normal(size=(6, 3, 8)).astype(np.float32)

    def blocks(size):
        for start in range(0, 6, size):
            part = np.arange(start, min(start + size, 6))
            headings = np.tile([0.0, 120.0, 240.0], (len(part), 1))
            yield EmbeddedQueries(part, vectors[part], headings, np.zeros(len(part)), np.zeros(len(part)))

    whole, pieces = (rank_queries(blocks(size), gallery, truth, Scoring()) for size in (6, 4))
    products = np.einsum("bcd,rd->bcr", vectors, gallery)
    assert whole.found_deg.tolist() == [[0.0, 120.0, 240.0][copy] for copy in products.max(axis=2).argmax(axis=1)]
    best = products.max(axis=1)
    expected = [(best[n] > best[n, n]).sum() for n in range(6)]
    assert whole.ranks.tolist() == pieces.ranks.tolist() == expected


def test_curves_hold_one_line_for_each_reading():
    truth = truth_of([[0], [1]], 3, places=[0.0, 1.0], centres=[0.0, 1.0, 2.0])
    curves = measure(truth, [[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]], within_m=(5.0,)).curves()
    assert {name: values.tolist() for name, values in curves.items()} == {
        "positives": [50.0, 100.0, 100.0], "within 5 m": [100.0] * 3,
    }  # fmt: skip


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("references", [np.float32, np.float16])
@pytest.mark.parametrize("piece_bytes", [1, 4 * 21 * 7, 16 << 20])
def test_the_best_over_copies_is_that_of_the_whole_product(monkeypatch, references, piece_bytes):
    monkeypatch.setattr(ranking, "_PIECE_BYTES", piece_bytes)
    vectors = RANDOM.normal(size=(7, 3, 16)).astype(np.float32)
    gallery = RANDOM.normal(size=(50, 16)).astype(references)
    whole = np.einsum("bcd,rd->bcr", vectors, gallery.astype(np.float32))
    scores, peaks = best_over_copies(vectors, gallery)
    np.testing.assert_allclose(scores, whole.max(axis=1), atol=1e-5)
    np.testing.assert_allclose(peaks, whole.max(axis=2), atol=1e-5)


def test_a_reference_scores_as_its_best_anchor():
    vectors = RANDOM.normal(size=(5, 2, 8)).astype(np.float32)
    gallery = RANDOM.normal(size=(30, 4, 8)).astype(np.float32)
    whole = np.einsum("bcd,rad->bcra", vectors, gallery).max(axis=3)
    scores, peaks = best_over_copies(vectors, gallery.reshape(30, -1))
    np.testing.assert_allclose(scores, whole.max(axis=1), atol=1e-5)
    np.testing.assert_allclose(peaks, whole.max(axis=2), atol=1e-5)


def test_what_is_not_a_number_stays_so_and_is_no_peak():
    vectors = np.array([[[np.nan, 0], [1, 0]]], np.float32)
    scores, peaks = best_over_copies(vectors, np.eye(2, dtype=np.float32))
    assert np.isnan(scores).all()
    assert peaks.argmax(axis=1).tolist() == [1]


def test_a_block_of_queries_is_bounded_and_never_empty():
    assert queries_at_once(92_802) == 180
    assert queries_at_once(10**9) == 1


def test_the_results_of_some_queries_are_those_of_their_numbers():
    """Queries 2 and 0 of three, whose positives, semi-positives and neighbours differ."""
    truth = truth_of([[0], [1], [2, 3]], 4, semi=[[1], [0], []], places=[0.0, 100.0, 200.0], centres=[0, 100, 200, 201])
    scores = np.array([[0.9, 0.5, 0.3, 0.2], [0.5, 0.9, 0.7, 0.6]], np.float32)
    found = Ranker(truth, Scoring(within_m=(5.0, 150.0))).query_results(scores, np.array([2, 0]))
    assert found.numbers.tolist() == [2, 0]
    assert found.tops.tolist() == [0, 1]
    assert found.intervals.tolist() == [[2, 2], [3, 3]]
    assert found.hits.tolist() == [[[2, 2], [2, 2]], [[0, 0], [2, 2]]]
    assert found.within.tolist() == [[[2, 2], [1, 1]], [[3, 3], [0, 0]]]
    np.testing.assert_allclose(found.precisions[1], [[1 / 8] * 2, [1 / 4] * 2])  # the fourth place, by two rules
    assert (found.tops.dtype, found.hits.dtype, found.within.dtype) == (np.int64,) * 3


def test_what_nobody_asks_for_or_knows_is_left_out():
    truth = truth_of([[0]], 2, places=[0.0], centres=[0.0, 9.0])
    found = Ranker(truth, Scoring()).query_results(np.array([[0.9, 0.1]], np.float32), np.array([0]))
    assert (found.hits, found.within, found.found_deg) == (None, None, None)


def test_ranked_queries_carry_their_angles_and_distances():
    truth = truth_of([[0], [1]], 2, places=[0.0, 1.0], centres=[0.0, 1.0])
    gallery = np.eye(2, dtype=np.float32)
    vectors = np.stack([gallery[[0, 1]], gallery[[1, 0]] * 0.5], axis=1)

    def ranked(copies):
        block = EmbeddedQueries(
            np.arange(2), vectors[:, :copies], np.array([[10.0, 20.0], [30.0, 40.0]])[:, :copies],
            np.array([1.0, 2.0]), np.array([3.0, 4.0]),
        )  # fmt: skip
        return rank_queries([block], gallery, truth, Scoring())

    searched = ranked(2)
    assert (searched.view_deg.tolist(), searched.true_deg.tolist()) == ([1.0, 2.0], [3.0, 4.0])
    assert searched.found_deg.tolist() == [10.0, 30.0]
    assert searched.distances_m.tolist() == pytest.approx([0.0, 0.0])
    assert ranked(1).found_deg is None


@pytest.mark.parametrize(
    ("piece_bytes", "references", "sizes"),
    [(4 * 6 * 2 * 5, 8192, [5, 5, 2]), (16 << 20, 7, [7, 5]), (1, 8192, [1] * 12)],
)
def test_a_gallery_is_read_in_pieces_whose_products_are_bounded(monkeypatch, piece_bytes, references, sizes):
    """Six vectors, two anchors: the products of five references are 4 * 6 * 2 * 5 bytes."""
    monkeypatch.setattr(ranking, "_PIECE_BYTES", piece_bytes)
    monkeypatch.setattr(ranking, "_REFERENCES", references)
    read = []

    class Gallery(np.ndarray):
        def __getitem__(self, rows):
            read.append(len(range(12)[rows]))
            return np.asarray(self)[rows]

    gallery = np.random.default_rng(0).normal(size=(12, 16)).astype(np.float16)
    best_over_copies(np.ones((2, 3, 8), np.float32), gallery.view(Gallery))
    assert read == sizes


def test_scores_and_peaks_are_float32_whatever_the_vectors():
    vectors, gallery = np.ones((2, 3, 4), np.float64), np.ones((5, 4), np.float16)
    scores, peaks = best_over_copies(vectors, gallery)
    assert (scores.dtype, peaks.dtype) == (np.float32,) * 2
    assert (scores.shape, peaks.shape) == ((2, 5), (2, 3))
    _, low = best_over_copies(-3 * vectors, gallery)
    assert low.tolist() == [[-12.0] * 3] * 2


@pytest.mark.parametrize("doubled", [0, 1])
def test_what_is_of_double_precision_is_compared_in_single_as_everything_is(doubled):
    sides = [RANDOM.normal(size=shape).astype(np.float32) for shape in ((4, 3, 64), (20, 64))]
    expected = best_over_copies(*sides)
    sides[doubled] = sides[doubled].astype(np.float64)
    for found, wanted in zip(best_over_copies(*sides), expected, strict=True):
        assert found.tolist() == wanted.tolist()


def test_a_block_holds_what_fits_and_not_a_query_more():
    for references in (1, 3, 92_802):
        count = queries_at_once(references)
        assert count * references * 4 <= ranking.BLOCK_BYTES < (count + 1) * references * 4
