import numpy as np

from model.synthetic.ground import PIXEL_M
from model.synthetic.shadow import SHADOW_M, shadowed, sun_steps


def world_with_a_wall(height_m=20.0):
    """Flat ground, 60 m around, with a wall that runs east and west through the middle."""
    side = round(2 * 60 / PIXEL_M)
    heights = np.zeros((side, side), np.float32)
    heights[side // 2 : side // 2 + 4] = height_m
    return heights, side // 2


def shade_at(heights, middle, sun, south_m):
    row = np.array([middle + round(south_m / PIXEL_M)])
    return bool(shadowed(heights, sun, row, np.array([middle]), np.zeros(1, np.float32))[0])


def test_a_wall_shades_what_lies_away_from_the_sun():
    heights, middle = world_with_a_wall()
    low_in_the_north = (0.0, 0.9, 0.44)
    assert shade_at(heights, middle, low_in_the_north, 10.0)
    assert not shade_at(heights, middle, low_in_the_north, -10.0)
    assert not shade_at(heights, middle, (0.0, -0.9, 0.44), 10.0)


def test_a_high_sun_and_a_low_wall_leave_the_ground_in_the_light():
    heights, middle = world_with_a_wall()
    assert not shade_at(heights, middle, (0.0, 0.05, 0.99), 10.0)
    low, _ = world_with_a_wall(height_m=0.2)
    assert not shade_at(low, middle, (0.0, 0.9, 0.44), 10.0)


def test_steps_lead_towards_the_sun_and_no_farther_than_the_longest_shadow():
    steps = sun_steps((0.6, 0.0, 0.8))
    assert [rows for rows, _, _ in steps] == [0] * len(steps)
    assert steps[-1][1] == round(SHADOW_M / PIXEL_M)
    assert [rise for _, _, rise in steps] == sorted(rise for _, _, rise in steps)
