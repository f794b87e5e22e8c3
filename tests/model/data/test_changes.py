from dataclasses import replace

import numpy as np
import pytest

from model.data.augment_spec import AugmentSpec
from model.data.changes import canvas_top, draw_change, tile_box
from model.inputs.transforms import InputSpec

INPUTS = InputSpec(satellite_px=64, ground_height_px=32, ground_width_px=128, ground_vertical_deg=40.0, anchors=4)
EVERY = AugmentSpec(
    colour=0,
    shift=1.0,
    ground=(0.5, 2.0),
    heading_jitter_deg=5.0,
    horizon_deg=8.0,
    fov_share=0.5,
    fov_deg=(70, 180),
    recolour=0.5,
    grey=0.2,
    turned=2,
)


def drawn(spec=EVERY, seed=0, side_px=128, rows=46):
    return draw_change(rows, side_px, INPUTS, spec, np.random.default_rng(seed))


@pytest.mark.parametrize("side_px", [96, 128, 129])
def test_what_is_cut_lies_within_the_picture_and_the_rows_within_the_canvas(side_px):
    for seed in range(200):
        change = drawn(seed=seed, side_px=side_px).place
        left, top, side = change.box
        assert min(left, top) >= -1e-9
        assert max(left, top) + side <= side_px + 1e-9
        assert 0 <= change.top <= 46 - 32
        assert np.abs(change.anchor).max() <= 16


def test_colours_are_mixed_without_a_change_of_grey_and_spared_as_often_as_asked():
    looks = [look for seed in range(200) for look in (drawn(seed=seed).ground_look, drawn(seed=seed).tile_look)]
    assert np.allclose([look.mixture.sum(axis=1) for look in looks], 1.0)
    spared = [look for look in looks if not look.recoloured]
    assert 0.35 < len(spared) / len(looks) < 0.65
    assert all(look.saturation == look.contrast == look.gain == look.exponent == 1.0 for look in spared)
    assert 0.1 < np.mean([look.grey for look in looks]) < 0.3


def test_a_view_that_is_not_limited_is_the_whole_circle():
    views = [drawn(seed=seed).fov_deg for seed in range(200)]
    limited = [angle for angle in views if angle < 360.0]
    assert 0.35 < len(limited) / len(views) < 0.65
    assert 70 <= min(limited) < max(limited) <= 180


def test_the_draws_are_those_of_the_seed_and_as_many_copies_as_asked():
    one, same, other = drawn(seed=1), drawn(seed=1), drawn(seed=2)
    assert np.array_equal(one.place.box, same.place.box)
    assert not np.array_equal(one.place.box, other.place.box)
    assert len(one.turned_deg) == 2
    assert len(drawn(replace(EVERY, turned=0)).turned_deg) == 0


def test_a_box_of_the_tiles_own_size_keeps_its_pixels_whole():
    assert tile_box(129, 64, (3.2, -1.4)).tolist() == [36.0, 31.0, 64.0]
    assert tile_box(64, 64, (5.0, 5.0)).tolist() == [0.0, 0.0, 64.0]


def test_a_canvas_that_is_not_higher_is_taken_as_it_is():
    assert canvas_top(32, INPUTS, 8.0) == 0
    assert canvas_top(46, replace(INPUTS, ground_vertical_deg=None), 8.0) == 0
    assert canvas_top(46, INPUTS) == 7
