import hashlib

import numpy as np

from model.synthetic.ground import Material, Window
from model.synthetic.terrain import paint_ground


def test_overlapping_windows_agree_to_the_byte():
    whole = paint_ground(3, Window(-200, -200, 400, 400))
    part_window = Window(-60, 30, 120, 90)
    part, same = paint_ground(3, part_window), whole.cropped(part_window)
    for name in ("height_m", "top", "side", "material"):
        assert np.array_equal(getattr(part, name), getattr(same, name)), name


def test_the_same_seed_paints_the_same_bytes_and_another_seed_others():
    window = Window(1000, 2000, 200, 200)
    first, again, other = (paint_ground(seed, window) for seed in (1, 1, 2))
    digest = [hashlib.sha256(ground.top.tobytes()).hexdigest() for ground in (first, again, other)]
    assert digest[0] == digest[1] != digest[2]


def test_a_square_kilometre_has_streets_buildings_and_trees_in_sane_amounts():
    ground = paint_ground(1, Window(0, 0, 1000, 1000))
    share = np.bincount(ground.material.ravel(), minlength=len(Material)) / ground.material.size
    assert 0.05 < share[Material.ROAD] < 0.4
    assert 0.02 < share[Material.BUILDING] < 0.5
    assert 0.02 < share[Material.TREE] < 0.6
    assert 0 <= ground.height_m.min() <= ground.height_m.max() < 60
    assert (ground.height_m[ground.material == Material.ROAD] == 0).all()


def test_a_window_around_a_rectangle_covers_it():
    window = Window.around(-10.2, -5.0, 10.2, 5.0, margin_m=2.0)
    x, y = window.axes_m()
    assert x[0] <= -12
    assert x[-1] >= 12
    assert y[0] >= 6.7
    assert y[-1] <= -6.7
