"""What a protocol hides of a query: reproducible, at its true azimuth, and never more than it says."""

from pathlib import Path

import numpy as np
import pytest

from model.common.errors import BadConfig
from model.data.pairs import Query
from model.evaluation.protocol import QueryProtocol
from model.inputs.transforms import NEUTRAL, roll_to_north

QUERY = Query(Path("photo.jpg"))
CANVAS = np.broadcast_to(np.arange(72, dtype=np.uint8)[None, :, None], (4, 72, 3))  # a column is its number


def seen_columns(canvas):
    return np.flatnonzero((canvas[0, :, 0] != NEUTRAL).astype(int))


def test_by_default_nothing_is_hidden():
    asked = QueryProtocol().ask(CANVAS, QUERY, 3)
    np.testing.assert_array_equal(asked.canvas, CANVAS)
    assert asked.turn == 0


@pytest.mark.parametrize(("fov_deg", "columns"), [(90.0, 18), (70.0, 14), (360.0, 72), (0.1, 1)])
def test_a_field_of_view_leaves_so_many_columns_where_they_were(fov_deg, columns):
    asked = QueryProtocol(fov_deg=fov_deg).ask(CANVAS, QUERY, 5)
    seen = seen_columns(asked.canvas)
    assert len(seen) == columns
    assert asked.canvas[0, seen, 0].tolist() == seen.tolist()


def test_the_view_is_centred_on_the_direction_recorded():
    for number in range(20):
        asked = QueryProtocol(fov_deg=90.0).ask(CANVAS, QUERY, number)
        centred = roll_to_north(asked.canvas, -asked.view_deg)
        assert seen_columns(centred).tolist() == list(range(27, 45))


def test_the_turn_recorded_brings_the_canvas_back_to_north():
    known, unknown = (
        QueryProtocol(fov_deg=120.0, heading=heading).ask(CANVAS, QUERY, 8) for heading in ("known", "unknown")
    )
    assert unknown.turn != 0
    assert unknown.view_deg == known.view_deg
    np.testing.assert_array_equal(np.roll(unknown.canvas, unknown.turn, axis=1), known.canvas)


def test_draws_depend_on_seed_and_number_alone_and_go_all_round():
    asked = [QueryProtocol(fov_deg=90.0, heading="unknown").ask(CANVAS, QUERY, number) for number in range(200)]
    again = QueryProtocol(fov_deg=90.0, heading="unknown", queries=3).ask(CANVAS, QUERY, 150)
    other = QueryProtocol(fov_deg=90.0, heading="unknown", seed=1).ask(CANVAS, QUERY, 150)
    assert (again.turn, again.view_deg) == (asked[150].turn, asked[150].view_deg)
    assert (other.turn, other.view_deg) != (asked[150].turn, asked[150].view_deg)
    for drawn in ([one.turn * 5 for one in asked], [one.view_deg for one in asked]):
        assert np.histogram(drawn, 4, (0, 360))[0].min() > 30


@pytest.mark.parametrize("number", range(8))
def test_a_photo_that_is_narrow_already_is_cut_inside_what_it_shows(number):
    photo = Query(Path("photo.jpg"), heading_deg=200.0, fov_deg=120.0)
    canvas = roll_to_north(np.where((np.arange(72) >= 24) & (np.arange(72) < 48), 7, NEUTRAL)[None, :, None], 200.0)
    assert len(seen_columns(QueryProtocol(fov_deg=60.0).ask(canvas, photo, number).canvas)) == 12
    assert len(seen_columns(QueryProtocol(fov_deg=180.0).ask(canvas, photo, number).canvas)) == 24


def test_a_subset_is_evenly_spaced_and_never_larger_than_the_set():
    assert QueryProtocol(queries=4).chosen(10).tolist() == [0, 2, 5, 7]
    assert QueryProtocol(queries=40).chosen(3).tolist() == [0, 1, 2]
    assert QueryProtocol().chosen(3).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"fov_deg": 0.0}, {"fov_deg": -90.0}, {"fov_deg": 361.0}, {"fov_deg": float("nan")}, {"heading": "north"},
        {"seed": -1}, {"headings": 0}, {"headings": 361}, {"queries": 0},
    ],
)  # fmt: skip
def test_a_protocol_that_cannot_be_is_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(BadConfig, match=rf"{name}.*{value}|{value}.*{name}"):
        QueryProtocol(**wrong)


def test_every_choice_is_told():
    told = QueryProtocol(fov_deg=90.0, heading="unknown", seed=7, queries=5).as_json(total=100, copies=[24, 6])
    assert told["queries"] == "5 of 100, evenly spaced"
    assert (told["fov_deg"], told["heading"], told["seed"], told["rolled_copies"]) == (90.0, "unknown", 7, [24, 6])
    assert QueryProtocol().as_json(total=100, copies=[24, 6])["queries"] == "all"
