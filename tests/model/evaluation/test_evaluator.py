"""Evaluation with an encoder whose vectors reveal the picture, so that the right answers are known."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.common.atomic_io import sha256_file
from model.common.errors import BadConfig, OutputExists
from model.common.geo import LatLon, great_circle_m
from model.data.pairs import PairSet, Query, Reference
from model.evaluation.embeddings import open_embeddings
from model.evaluation.evaluator import DualEncoder, evaluate, store
from model.evaluation.ground_truth import GroundTruth
from model.evaluation.metrics import Scoring
from model.evaluation.protocol import QueryProtocol
from model.evaluation.results import save_query_results
from model.inputs.transforms import InputSpec, lay_panorama

INPUTS = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, ground_vertical_deg=None)
DIM = 64


def profile(pixels):
    """Brightness of each column, or of each angle's tile column, to unit length."""
    values = pixels.astype(np.float32).mean(axis=(1, 3)) - 128.0
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)


def profile_of_tile(pixels):
    return profile(np.repeat(pixels, 2, axis=2))


def constant(pixels):
    return np.full((len(pixels), DIM), DIM**-0.5, np.float32)


@pytest.fixture
def pairs(tmp_path) -> PairSet:
    """24 pairs whose two views share one profile over 32 columns, and four distractors."""
    random = np.random.default_rng(0)
    queries, references = [], []
    for number in range(28):
        profile = random.integers(0, 256, 32, np.uint8)
        tile = np.repeat(np.repeat(profile[None, :, None], 32, axis=0), 3, axis=2)
        place = LatLon(47.0 + number / 1000, 8.5)
        path = tmp_path / f"tile{number}.png"
        Image.fromarray(tile).save(path)
        references.append(Reference(path, place))
        if number < 24:
            path = tmp_path / f"pano{number}.png"
            Image.fromarray(np.repeat(tile, 2, axis=1)).save(path)
            queries.append(Query(path, location=place))
    return PairSet("profiles", tuple(queries), tuple(references), np.arange(24))


def measure(pairs, ground=profile, tiles=profile_of_tile, **options):
    batch, scoring = options.pop("batch", 5), options.pop("scoring", Scoring())
    encoders = DualEncoder(ground, tiles, INPUTS, DIM)
    return evaluate(encoders, pairs, protocol=QueryProtocol(**options), scoring=scoring, batch=batch)


def test_what_is_seen_whole_is_found(pairs):
    result = measure(pairs)
    assert result.recall == {"recall@1": 100.0, "recall@5": 100.0, "recall@10": 100.0, "recall@1%": 100.0}
    assert result.further == {"ap": 100.0, "ap_step": 100.0, "distance_m_median": 0.0, "distance_m_p90": 0.0}
    assert (result.queries, result.gallery, result.median_rank) == (24, 28, 1.0)


def test_an_unknown_heading_costs_recall_unless_it_is_searched(pairs):
    searched = measure(pairs, heading="unknown", headings=64)
    assert searched.recall["recall@1"] == 100.0
    assert searched.further["heading_error_deg_median"] == 0.0
    assert searched.further["heading_error_deg_p90"] == 0.0
    assert measure(pairs, heading="unknown", headings=1).recall["recall@1"] < 50.0


def test_the_second_pass_finds_what_lies_between_the_first_headings(pairs):
    result = measure(pairs, heading="unknown", headings=24)
    coarse = [360.0 * round(64 * i / 24) / 64 for i in range(24)]
    assert result.recall["recall@1"] > 60.0
    assert result.further["heading_error_deg_p90"] == 0.0
    assert not set(result.query_results.found_deg[result.query_results.ranks == 0]) <= set(coarse)


def test_a_narrower_view_is_harder(pairs):
    wide, narrow = (measure(pairs, fov_deg=fov_deg).recall["recall@1"] for fov_deg in (180.0, 6.0))
    assert narrow < wide


def test_constant_features_score_zero_by_every_measure(pairs):
    covered = PairSet("x", pairs.queries, pairs.references, pairs.positives, ((),) * 24)
    result = measure(covered, ground=constant, tiles=constant, heading="unknown", headings=4)
    assert result.recall["recall@10"] == 0.0
    assert result.median_rank == 28.0
    assert (result.further["hit_rate"], result.further["hit_rate_by_code"]) == (0.0, 0.0)
    assert result.further["distance_m_median"] > 0.0
    assert result.further["heading_error_deg_median"] is None


def test_scores_that_are_not_a_number_count_as_misses(pairs):
    result = measure(pairs, ground=lambda pixels: constant(pixels) * np.nan, heading="unknown", headings=4)
    assert result.recall["recall@10"] == 0.0


def test_ranks_equal_those_of_the_whole_score_matrix_over_all_copies(pairs):
    protocol = QueryProtocol(fov_deg=120.0, heading="unknown", headings=64)
    tiles = np.stack([np.asarray(Image.open(tile.path)) for tile in pairs.references])
    whole = []
    for number, query in enumerate(pairs.queries):
        canvas = protocol.ask(lay_panorama(Image.open(query.path), INPUTS), query, number).canvas
        copies = np.stack([np.roll(canvas, turn, axis=1) for turn in range(64)])
        whole.append((profile(copies) @ profile_of_tile(tiles).T).max(axis=0))
    expected = np.array([(row > row[own]).sum() for row, own in zip(whole, pairs.positives, strict=True)])
    found = measure(pairs, fov_deg=120.0, heading="unknown", headings=64).query_results.ranks
    assert found.tolist() == expected.tolist()
    assert 0 < (expected > 0).sum() < 24  # the case tells right from wrong


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_blocks_do_not_change_the_result(pairs, batch):
    options = {"fov_deg": 90.0, "heading": "unknown", "headings": 8}
    whole, blocks = (measure(pairs, batch=size, **options).query_results for size in (24, batch))
    assert whole.ranks.tolist() == blocks.ranks.tolist()
    assert np.array_equal(whole.found_deg, blocks.found_deg)


def test_a_subset_is_asked_as_in_the_whole_set_and_the_gallery_stays(pairs):
    options = {"fov_deg": 90.0, "heading": "unknown", "headings": 8}
    whole, part = measure(pairs, **options), measure(pairs, queries=6, **options)
    assert part.query_results.numbers.tolist() == [0, 4, 8, 12, 16, 20]
    assert (part.queries, part.gallery) == (6, 28)
    assert part.query_results.ranks.tolist() == whole.query_results.ranks[::4].tolist()
    assert part.query_results.true_deg.tolist() == whole.query_results.true_deg[::4].tolist()
    assert part.protocol["queries"] == "6 of 24, evenly spaced"


def test_a_semi_positive_in_front_is_a_hit_and_its_distance_is_told(pairs):
    others = tuple((number + 1) % 24 for number in range(24))
    wrong = np.array(others)  # the picture's own tile is only a semi-positive
    covered = PairSet("x", pairs.queries, pairs.references, wrong, tuple((number,) for number in range(24)))
    result = measure(covered)
    assert result.recall["recall@1"] == 0.0
    assert result.further["hit_rate"] == 100.0
    assert result.further["hit_rate_by_code"] < 100.0
    assert result.further["distance_m_median"] == 0.0
    assert "hit_rate" not in measure(pairs).further


def test_distances_need_the_coordinates_of_both_sides(pairs):
    bare = tuple(Reference(tile.path) for tile in pairs.references)
    assert set(measure(PairSet("x", pairs.queries, bare, pairs.positives)).further) == {"ap", "ap_step"}
    shifted = tuple(Reference(tile.path, LatLon(tile.location.lat, 8.51)) for tile in pairs.references)
    expected = great_circle_m(LatLon(47.012, 8.5), LatLon(47.012, 8.51))
    found = measure(PairSet("x", pairs.queries, shifted, pairs.positives)).further["distance_m_median"]
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_saved_result_can_be_checked_and_is_never_overwritten(pairs, tmp_path):
    scoring, truth = Scoring(within_m=(1.0, 200.0)), GroundTruth.of(pairs)
    result = measure(pairs, fov_deg=90.0, heading="unknown", headings=8, scoring=scoring)
    save_query_results(result.query_results, truth, scoring, result.as_json(), tmp_path / "saved")
    with (tmp_path / "saved" / "queries.csv").open() as file:
        rows = list(csv.DictReader(file))
    content = json.loads((tmp_path / "saved" / "result.json").read_text())
    assert np.mean([row["rank"] == "0" for row in rows]) * 100 == pytest.approx(content["recall@1"])
    assert [row["picture"] for row in rows][:2] == ["pano0.png", "pano1.png"]
    assert float(rows[3]["heading_deg"]) == pytest.approx(result.query_results.true_deg[3], abs=1e-3)
    assert np.mean([row["rank_within_200m"] == "0" for row in rows]) * 100 == content["recall@1_within_200m"]
    assert {row["tied"] for row in rows} == {"0"}
    assert content["files"] == {"queries.csv": sha256_file(Path(tmp_path / "saved" / "queries.csv"))}
    with pytest.raises(OutputExists):
        save_query_results(result.query_results, truth, scoring, result.as_json(), tmp_path / "saved")


@pytest.mark.parametrize("heading", ["known", "unknown"])
def test_stored_embeddings_give_the_same_outcomes_and_any_other_rule(pairs, tmp_path, heading):
    options = {"fov_deg": 90.0, "heading": heading, "headings": 8}
    encoders = DualEncoder(profile, profile_of_tile, INPUTS, DIM)
    store(encoders, pairs, tmp_path / "e", {"name": "profiles"}, protocol=QueryProtocol(**options), batch=5)
    stored = open_embeddings(tmp_path / "e")
    for scoring in (Scoring(), Scoring("average", "floor+1", "drop", (200.0,))):
        live, again = measure(pairs, scoring=scoring, **options), stored.evaluate(scoring)
        assert again.as_json() | {"protocol": 0} == live.as_json() | {"protocol": 0}
        assert again.protocol == {**live.protocol, "vectors": "float32"}
        for name in ("ranks", "tops", "view_deg", "true_deg", "heading_errors_deg"):
            np.testing.assert_array_equal(getattr(again.query_results, name), getattr(live.query_results, name))


def test_half_precision_finds_what_whole_precision_finds(pairs, tmp_path):
    encoders = DualEncoder(profile, profile_of_tile, INPUTS, DIM)
    store(encoders, pairs, tmp_path / "e", {"name": "profiles"}, precision="float16")
    assert open_embeddings(tmp_path / "e").evaluate(Scoring()).recall == measure(pairs).recall


def reverse(pairs):
    """The same pictures, asked the other way round: each tile for its panorama."""
    queries = tuple(Query(pairs.references[row].path) for row in pairs.positives)
    panoramas = tuple(Reference(query.path) for query in pairs.queries)
    return PairSet(
        "reversed", queries, panoramas, np.arange(24), query_view="satellite", reference_view="ground"
    )  # fmt: skip


def test_tiles_ask_for_pictures_through_the_other_sides_of_the_encoder(pairs):
    result = measure(reverse(pairs))
    assert (result.recall["recall@1"], result.queries, result.gallery) == (100.0, 24, 24)


@pytest.mark.parametrize("options", [{"fov_deg": 90.0}, {"heading": "unknown"}])
def test_tiles_that_ask_have_no_heading_to_search_and_no_view_to_cut(pairs, options):
    with pytest.raises(BadConfig, match="the queries of reversed are tiles"):
        measure(reverse(pairs), **options)


def test_of_several_right_references_the_first_found_counts(pairs):
    more = tuple(((number + 1) % 28,) for number in range(24))
    several = PairSet("several", pairs.queries, pairs.references, np.arange(24), more_positives=more)
    result = measure(several)
    assert result.recall["recall@1"] == 100.0
    assert result.further["ap"] < 100.0
    assert result.protocol["positives"] == "2 a query, the best counts"
