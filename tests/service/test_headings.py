"""The search over headings tries all, refines around the best, and keeps every tile once."""

from dataclasses import dataclass

import numpy as np
import pytest

from model.transforms import roll_to_north
from service.headings import best_per_tile, coarse_headings, fine_headings, rolled, search_headings


@dataclass
class Found:
    rows: np.ndarray
    scores: np.ndarray


def found(**scores: float) -> Found:
    return Found(np.array([int(name[1:]) for name in scores]), np.array(list(scores.values()), np.float32))


def test_coarse_headings_go_once_round():
    assert coarse_headings(4) == [0.0, 90.0, 180.0, 270.0]


def test_fine_headings_lie_between_the_neighbours_and_wrap():
    assert fine_headings(0.0, step_deg=16.0) == [348.0, 352.0, 356.0, 4.0, 8.0, 12.0]


def test_every_tile_is_kept_once_at_its_best_heading():
    hits = best_per_tile([found(r7=0.5, r3=0.4), found(r3=0.9, r7=0.1)], [0.0, 90.0])
    assert [(hit.row, round(hit.score, 3), hit.heading_deg) for hit in hits] == [(3, 0.9, 90.0), (7, 0.5, 0.0)]


def test_equal_scores_are_ordered_by_row():
    assert [hit.row for hit in best_per_tile([found(r9=0.5, r2=0.5)], [0.0])] == [2, 9]


def test_rolling_by_the_true_heading_restores_the_north_centred_canvas():
    canvas = np.random.default_rng(0).integers(0, 256, (4, 64, 3), np.uint8)
    turned = np.roll(canvas, -16, axis=1)  # its centre looks 90 degrees
    np.testing.assert_array_equal(rolled(turned, [0.0, 90.0])[1], canvas)


@pytest.mark.parametrize("true_heading", [0.0, 37.0, 181.0, 359.0])
def test_heading_is_found_within_a_quarter_of_the_step(true_heading):
    north = np.zeros((1, 360, 3), np.uint8)
    north[0, :, 0] = 120 + 100 * np.sin(np.radians(np.arange(360)))
    canvas = roll_to_north(north, -true_heading)

    def find(canvases):
        differences = np.abs(canvases.astype(float) - north).mean(axis=(1, 2, 3))
        return [found(r5=1.0 - difference / 255) for difference in differences]

    best = search_headings(canvas, find, count=24)[0]
    assert abs((best.heading_deg - true_heading + 180) % 360 - 180) <= 15 / 4 / 2 + 0.5


def test_nothing_found_stays_nothing():
    empty = Found(np.empty(0, np.int64), np.empty(0, np.float32))
    assert search_headings(np.zeros((4, 64, 3), np.uint8), lambda batch: [empty] * len(batch), count=8) == []
