import numpy as np
import pytest

from model.synthetic.appearance import Appearance
from model.synthetic.tile import render_tile
from tests.model.synthetic.test_panorama import PLAIN, TRUE_COLOURS, flat_ground, with_block


def test_a_block_lies_where_it_stands_north_up():
    tile = render_tile(with_block(20, 30), (-50, -50, 50, 50), 100, PLAIN)
    red = tile[..., 0].astype(int) - tile[..., 1] > 60
    rows, columns = np.nonzero(red)
    assert columns.mean() == pytest.approx(70, abs=1)
    assert rows.mean() == pytest.approx(20, abs=1)


def test_shadows_fall_away_from_the_sun():
    sunny = Appearance((0.6, 0.0, 0.8), 0.9, 1.0, TRUE_COLOURS, 1.0, 1e9, 0.0, 0.0, 0)  # sun in the east
    tile = render_tile(with_block(0, 0, height_m=16.0), (-50, -50, 50, 50), 100, sunny)
    west, east = tile[50, 38:44].mean(), tile[50, 57:63].mean()
    assert west < 0.8 * east


def test_neighbouring_tiles_continue_each_other():
    ground = with_block(0, 0, half_m=20.0)
    wide = render_tile(ground, (-40, -40, 40, 40), 160, PLAIN)
    left = render_tile(ground, (-40, 0, 0, 40), 80, PLAIN)
    assert np.abs(wide[:80, :78].astype(int) - left[:, :78]).max() <= 1


def test_the_season_tints_only_what_grows():
    brown = Appearance(PLAIN.sun, 0.0, 1.0, TRUE_COLOURS, 1.0, 1e9, 1.0, 0.0, 0)
    tiles = [render_tile(flat_ground(), (-20, -20, 20, 20), 40, look) for look in (PLAIN, brown)]
    assert np.array_equal(*tiles)
