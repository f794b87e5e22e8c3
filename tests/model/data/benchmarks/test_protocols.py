"""Each benchmark evaluated by its own protocol, through the command line and from stored embeddings."""

import json

import pytest

from model.__main__ import main
from model.network.checkpoints import save_bundle
from tests.model.data.benchmarks.trees import write_cvact, write_university, write_vigor
from tests.model.tiny import tiny_net


@pytest.fixture
def evaluated(tmp_path, capsys):
    """Embeds a data set with an untrained network, then scores it by some rules."""
    provenance = {"run": {"data": {"train": "cvusa:train?root=elsewhere"}}}
    save_bundle(tmp_path / "bundle", tiny_net(), name="tiny", provenance=provenance, metrics={})

    def evaluate(data, *rules):
        folder = tmp_path / data.partition("?")[0].replace(":", "-")
        if not folder.exists():
            command = ["evaluate", "--checkpoint", str(tmp_path / "bundle"), "--data", data, "--store", str(folder)]
            assert main(command) == 0
            capsys.readouterr()
        assert main(["evaluate", "--from", str(folder), "--json", *rules]) == 0
        return json.loads(capsys.readouterr().out)

    return evaluate


def test_cvact_by_id_and_within_five_metres_by_a_network_trained_elsewhere(evaluated, tmp_path):
    write_cvact(tmp_path / "CVACT")
    result = evaluated(f"cvact:test?root={tmp_path / 'CVACT'}", "--within", "5", "--ties", "optimistic")
    assert (result["trained_on"], result["data"]) == ("cvusa:train?root=elsewhere", "cvact:test")
    assert (result["queries"], result["gallery"]) == (4, 4)
    assert (result["recall@1"], result["recall@1_within_5m"]) == (100.0, 100.0)  # all pictures are the same


def test_vigor_tells_both_hit_rates_over_all_tiles_of_its_cities(evaluated, tmp_path):
    write_vigor(tmp_path / "VIGOR")
    result = evaluated(f"vigor:cross-area-test?root={tmp_path / 'VIGOR'}", "--one-percent", "floor+1")
    assert (result["queries"], result["gallery"]) == (8, 32)
    assert (result["hit_rate"], result["hit_rate_by_code"]) == (0.0, 0.0)
    assert result["protocol"]["recall@1%"].startswith("the first 1: 1 % of 32")


@pytest.mark.parametrize(
    ("split", "queries", "gallery", "dropped", "positives"),
    [
        ("drone-to-satellite", 6, 4, 2, "one a query"),
        ("satellite-to-drone", 2, 12, 6, "3 a query, the best counts"),
    ],
)
def test_university_with_and_without_distractors(evaluated, tmp_path, split, queries, gallery, dropped, positives):
    write_university(tmp_path / "U")
    data = f"university:{split}?root={tmp_path / 'U'}"
    kept, without = evaluated(data), evaluated(data, "--distractors", "drop", "--one-percent", "round+1")
    assert (kept["queries"], kept["gallery"], kept["protocol"]["positives"]) == (queries, gallery, positives)
    assert without["gallery"] == gallery - dropped
    assert without["median_rank"] < kept["median_rank"]
    assert without["protocol"]["distractors"] == f"dropped, {dropped} of {gallery} references"
    assert without["ap"] > kept["ap"] > 0.0
