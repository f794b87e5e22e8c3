"""The search over headings tries all, refines around the best, and keeps every tile once."""

from dataclasses import dataclass

import numpy as np
import pytest

from model.inputs.heading_search import (
    coarse_turns,
    fine_offsets,
    heading_of,
    peak_offsets,
    rolled,
    search_headings,
    swept_turns,
    turns_tried,
)
from model.inputs.transforms import roll_to_north


@dataclass
class Found:
    rows: np.ndarray
    scores: np.ndarray
    anchors: np.ndarray


def found(**scores: float) -> Found:
    rows = np.array([int(name[1:]) for name in scores])
    return Found(rows, np.array(list(scores.values()), np.float32), rows % 4)


class Looking:
    """An encoder whose vectors are the pictures themselves, and which remembers how many it was shown."""

    def __init__(self, sweeps=False):
        self.sweeps, self.shown, self.swept = sweeps, [], 0

    def encode_ground(self, pixels):
        self.shown.extend(pixels)
        return pixels.reshape(len(pixels), -1).astype(np.float32)

    def encode_headings(self, pixels):
        self.swept += len(pixels)
        return (
            np.stack([np.roll(pixels, turn, axis=2) for turn in swept_turns(pixels.shape[2])], axis=1)
            .reshape(len(pixels), -1, pixels[0].size)
            .astype(np.float32)
        )


def search_by(answers, encoder=None, **options):
    """Search a canvas of 64 columns whose copies are answered in turn."""
    left = iter(answers)
    canvas = np.zeros((1, 64, 3), np.uint8)
    return search_headings(
        canvas, encoder or Looking(), lambda copies: [next(left, found()) for _ in copies], **options
    )


def test_coarse_turns_go_once_round():
    assert coarse_turns(4, 64) == [0, 16, 32, 48]


def test_coarse_turns_are_whole_columns_none_twice():
    assert coarse_turns(24, 64)[:4] == [0, 3, 5, 8]
    assert coarse_turns(360, 64) == list(range(64))


def test_fine_offsets_lie_between_the_neighbours():
    assert fine_offsets(16, 256) == [-12, -8, -4, 4, 8, 12]


def test_fine_offsets_vanish_where_every_column_was_tried():
    assert fine_offsets(360, 64) == []


@pytest.mark.parametrize(("turn", "heading_deg"), [(0, 0.0), (1, 5.625), (-1, 354.375), (64, 0.0)])
def test_a_turn_is_a_heading_of_whole_columns(turn, heading_deg):
    assert heading_of(turn, 64) == heading_deg


def test_every_tile_is_kept_once_at_its_best_heading():
    hits = search_by([found(r7=0.5, r3=0.4), found(r3=0.9, r7=0.1)], count=4)
    assert [(hit.row, round(hit.score, 3), hit.heading_deg) for hit in hits] == [(3, 0.9, 90.0), (7, 0.5, 0.0)]


def test_of_headings_that_score_alike_the_first_is_told():
    hits = search_by([found(r5=0.5), found(r5=0.75, r6=0.25), found(r5=0.75), found(r6=0.25)], count=4)
    assert [(hit.row, hit.score, hit.heading_deg) for hit in hits] == [(5, 0.75, 90.0), (6, 0.25, 90.0)]


def test_equal_scores_are_ordered_by_row():
    assert [hit.row for hit in search_by([found(r9=0.5, r2=0.5)], heading_deg=0.0)] == [2, 9]


def test_the_refined_headings_lie_around_that_of_the_best_tile():
    answers = [found(), found(r1=0.5), found(), found(), *[found(r1=score) for score in (0.1, 0.2, 0.3, 0.4, 0.9, 0.6)]]
    assert search_by(answers, count=4)[0].heading_deg == 90.0 + 8 * 360 / 64


def test_a_hit_carries_the_anchor_that_matched():
    assert [hit.anchor for hit in search_by([found(r1=0.5, r6=0.4)], heading_deg=0.0)] == [1, 2]


def test_a_heading_that_is_known_is_searched_alone_and_told_within_0_and_360():
    assert [hit.heading_deg for hit in search_by([found(r1=0.5)], heading_deg=-37.5)] == [322.5]


def test_rolling_by_the_true_heading_restores_the_north_centred_canvas():
    canvas = np.random.default_rng(0).integers(0, 256, (4, 64, 3), np.uint8)
    turned = np.roll(canvas, -16, axis=1)  # its centre looks 90 degrees
    np.testing.assert_array_equal(rolled(turned, [0, 16])[1], canvas)


def likeness_to(north):
    def find(vectors):
        differences = np.abs(vectors - north.reshape(-1)).mean(axis=1)
        return [found(r5=1.0 - difference / 255) for difference in differences]

    return find


@pytest.mark.parametrize("true_heading", [0.0, 37.0, 181.0, 359.0])
@pytest.mark.parametrize("columns", [360, 250])
def test_the_heading_told_is_the_one_rolled_within_a_quarter_of_the_step(true_heading, columns):
    north = np.zeros((1, columns, 3), np.uint8)
    north[0, :, 0] = 120 + 100 * np.sin(np.radians(np.arange(columns) * 360 / columns))
    canvas = roll_to_north(north, -true_heading)
    encoder = Looking()
    best = search_headings(canvas, encoder, likeness_to(north), count=24)[0]
    assert abs((best.heading_deg - true_heading + 180) % 360 - 180) <= 15 / 4 / 2 + 360 / columns
    assert any(np.array_equal(roll_to_north(canvas, best.heading_deg), copy) for copy in encoder.shown)
    assert best.heading_deg * columns / 360 == pytest.approx(round(best.heading_deg * columns / 360))


@pytest.mark.parametrize(("columns", "turns"), [(64, 32), (128, 32), (256, 32), (768, 48), (20, 20)])
def test_turns_of_all_headings_at_once_are_powers_of_two_apart(columns, turns):
    steps = set(np.diff(swept_turns(columns)).tolist())
    assert (len(swept_turns(columns)), len(steps)) == (turns, 1)
    assert steps.pop().bit_count() == 1


def test_all_headings_at_once_are_the_only_pass():
    north = waves(64)
    encoder = Looking(sweeps=True)
    best = search_headings(roll_to_north(north, -90.0), encoder, alike(north))[0]
    assert (best.heading_deg, encoder.swept, encoder.shown) == (90.0, 1, [])
    assert best.score == pytest.approx(1.0)
    assert turns_tried(64, count=24, sweeps=True) == [32, 1]


def waves(columns):
    """A picture that changes as smoothly as a network's vectors do from one heading to the next."""
    picture = np.zeros((1, columns, 3), np.uint8)
    angles = np.radians(np.arange(columns) * 360 / columns)
    picture[0] = 120 + 100 * np.stack([np.sin(angles), np.cos(2 * angles), np.sin(3 * angles)], axis=1)
    return picture


def alike(north):
    """Scores a vector by its cosine to a picture's."""
    right = unit(north.reshape(-1).astype(np.float64))

    def find(vectors):
        return [found(r5=float(unit(vector) @ right)) for vector in vectors]

    return find


def unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("true_heading", [0.0, 37.0, 181.0, 359.0])
@pytest.mark.parametrize("columns", [128, 256, 768])
def test_the_heading_between_two_of_all_at_once_is_found_by_their_scores(true_heading, columns):
    north = waves(columns)
    best = search_headings(roll_to_north(north, -true_heading), Looking(sweeps=True), alike(north))[0]
    assert abs((best.heading_deg - true_heading + 180) % 360 - 180) <= 360 / columns


@pytest.mark.parametrize("turn", [0, 1, 2, 41, 127])
def test_the_vector_at_the_peak_is_nearly_that_of_the_turned_picture(turn):
    """Nearer than those of the headings beside it, and of length one."""
    columns, north = 128, waves(128)
    canvas = np.roll(north, -turn, axis=1)
    asked = []

    def find(vectors):
        asked.append(vectors)
        return alike(north)(vectors)

    best = search_headings(canvas, Looking(sweeps=True), find)[0]
    assert len(asked) == 2
    assert np.linalg.norm(asked[1][0]) == pytest.approx(1.0)
    told = unit(rolled(canvas, [round(best.heading_deg * columns / 360)])[0].reshape(-1).astype(np.float64))
    swept = [float(unit(vector) @ told) for vector in asked[0]]
    assert float(asked[1][0] @ told) > max(0.9995, max(swept) - 1e-6)


def test_the_peak_is_that_of_the_parabola_and_at_most_halfway_to_a_neighbour():
    turns = np.arange(32)
    scores = np.array([-((turns - at) ** 2) for at in (7.0, 7.25, 6.75, 7.49)], np.float64)
    assert peak_offsets(scores, 128).tolist() == [[0], [1], [-1], [2]]


def test_the_peak_is_found_around_the_circle():
    scores = -(np.minimum(np.arange(32) + 0.25, 31.75 - np.arange(32)) ** 2)  # lies a quarter before turn 0
    assert peak_offsets(scores[np.newaxis], 128).tolist() == [[-1]]


def test_a_flat_or_empty_neighbourhood_has_its_peak_where_the_best_is():
    empty = np.full(32, -np.inf)
    empty[3] = 0.5
    assert peak_offsets(np.stack([np.zeros(32), empty]), 128).tolist() == [[0], [0]]


def test_another_number_of_headings_has_each_computed_on_its_own():
    encoder = Looking(sweeps=True)
    search_by([found(r1=0.5)], encoder, count=4)
    assert (encoder.swept, len(encoder.shown)) == (0, 4 + len(fine_offsets(4, 64)))
    assert turns_tried(64, count=4, sweeps=True) == [4, 6]


def test_nothing_found_stays_nothing():
    assert search_by([], count=8) == []
