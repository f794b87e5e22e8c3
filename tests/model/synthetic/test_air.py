from dataclasses import replace

import numpy as np

from model.synthetic.air import draw_air, grain
from model.synthetic.appearance import Air, Difficulty, draw_appearance

AIR = Air(0.0, 250.0, (50.0, 100.0, 200.0), 0.0, 0.0, (60.0, 80.0, 60.0), 0.5, 7)
TURN = np.radians(((np.arange(256) + 0.5) / 256 - 0.5) * 360.0)
EAST, NORTH = np.sin(TURN), np.cos(TURN)
SLOPES = np.tan(np.radians(np.repeat(np.linspace(30.0, -30.0, 64)[:, None], 256, axis=1)))


def drawn(sun=(0.0, 0.6, 0.8), **change):
    return draw_air(replace(AIR, **change), sun, EAST, NORTH, SLOPES)


def test_a_clear_sky_is_bluer_overhead_than_at_the_horizon():
    sky = drawn()
    blue = sky[..., 2] - sky[..., 0]
    assert blue[0].mean() > blue[30].mean() + 20
    assert (np.abs(sky[0] - np.median(sky[0], axis=0)).max(axis=1) < 1).mean() > 0.9


def test_clouds_cover_more_of_the_sky_the_more_there_are():
    shares = [(np.abs(drawn(clouds=clouds) - drawn())[:30].max(axis=2) > 15).mean() for clouds in (0.0, 0.5, 1.0)]
    assert shares[0] < shares[1] < shares[2]


def test_the_glare_lies_where_the_sun_stands():
    west = drawn(sun=(-0.97, 0.0, 0.24), glare=1.0) - drawn(sun=(-0.97, 0.0, 0.24))
    assert west.max(axis=(0, 2)).argmax() in range(60, 69)  # a quarter from the left edge


def test_far_hills_stay_below_their_greatest_height_and_close_around():
    hidden = np.abs(drawn(skyline_deg=6.0) - drawn()).max(axis=2) > 1
    above = np.degrees(np.arctan(SLOPES[:, 0]))
    assert 1.0 < above[hidden.any(axis=1)].max() <= 1.2 * 6.0
    heights = hidden.sum(axis=0).astype(int)
    assert abs(heights[0] - heights[-1]) <= 3


def test_the_grain_of_a_wall_is_the_same_from_wherever_it_is_seen():
    row, column = np.arange(600), np.arange(600) // 7
    factors = grain(AIR, row, column, np.linspace(0.0, 9.0, 600))
    assert np.array_equal(factors, grain(AIR, row, column, np.linspace(0.0, 9.0, 600)))
    assert factors.min() >= 0.5
    assert factors.max() <= 1.5
    assert factors.std() > 0.1


def test_air_changes_no_other_draw_of_a_picture():
    plain, airy = (draw_appearance(5, 9, Difficulty(air=air), from_ground=True) for air in (0.0, 1.0))
    assert plain.air is None
    assert replace(airy, air=None) == plain
    assert draw_appearance(5, 9, Difficulty(air=1.0), from_ground=False).air is None
