import csv
import json

import numpy as np
import pytest

from model.common.atomic_io import sha256_file
from model.common.errors import OutputExists
from model.evaluation.metrics import Scoring
from model.evaluation.results import Evaluation, QueryResults, save_query_results
from tests.model.evaluation.test_ranking import truth_of


def results(intervals, **more) -> QueryResults:
    count = len(intervals)
    return QueryResults(
        numbers=np.arange(count),
        tops=np.zeros(count, np.int64),
        intervals=np.array(intervals, np.int64),
        precisions=np.full((count, 2, 2), 0.5),
        **more,
    )


def evaluation(found: QueryResults, **rules) -> Evaluation:
    truth = truth_of([[0]] * len(found.numbers), 200, places=[0.0] * len(found.numbers), centres=[0.0] * 200)
    return Evaluation.of(found, truth, Scoring(**rules), {"heading": "known"})


def test_the_table_names_what_was_asked_and_with_which_units():
    shown = evaluation(results([(0, 0), (0, 3)], distances_m=np.array([0.0, 20.0]))).table("mine", "world:train")
    assert shown.splitlines()[0] == "mine (trained on world:train) on hand-made: 2 queries, gallery of 200 tiles"
    assert "  recall@1                      50.00 %" in shown
    assert "  distance_m_median             10.00 m" in shown
    assert "heading known" in shown.splitlines()[-1]


def test_curves_end_where_recall_does_and_agree_with_the_table():
    found = evaluation(results([(0, 0), (4, 4), (150, 150)]))
    curve = found.curves()["positives"]
    assert len(curve) == 100
    assert (curve[0], curve[4]) == (found.recall["recall@1"], found.recall["recall@5"])
    assert curve[-1] == pytest.approx(200 / 3)


def test_a_heading_error_goes_the_short_way_round():
    turned = results([(0, 0), (0, 0)]).seen(np.zeros(2), np.array([350.0, 90.0]), np.array([10.0, 270.0]))
    assert turned.heading_errors_deg.tolist() == [20.0, 180.0]
    assert results([(0, 0)]).heading_errors_deg is None


def test_no_right_tile_leaves_the_heading_without_a_number():
    lost = results([(5, 5)]).seen(np.zeros(1), np.zeros(1), np.ones(1))
    assert lost.summary(Scoring(), 200)["heading_error_deg_median"] is None


def test_joined_blocks_lose_a_column_that_one_of_them_lacks():
    one = results([(0, 0)], distances_m=np.array([1.0]))
    joined = QueryResults.joined([one, one])
    assert joined.distances_m.tolist() == [1.0, 1.0]
    assert QueryResults.joined([one, results([(2, 2)])]).distances_m is None


def test_a_saved_evaluation_has_a_row_a_query_and_the_tables_digest(tmp_path):
    truth = truth_of([[0], [0]], 3)
    save_query_results(results([(0, 0), (1, 2)]), truth, Scoring(), {"data": "hand-made"}, tmp_path / "out")
    with (tmp_path / "out" / "queries.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["picture"], row["rank"], row["tied"]) for row in rows] == [("q0", "0", "0"), ("q1", "2", "1")]
    about = json.loads((tmp_path / "out" / "result.json").read_text())
    assert about["files"] == {"queries.csv": sha256_file(tmp_path / "out" / "queries.csv")}
    with pytest.raises(OutputExists):
        save_query_results(results([(0, 0)]), truth, Scoring(), {}, tmp_path / "out")
