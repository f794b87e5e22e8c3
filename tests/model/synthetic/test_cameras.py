import numpy as np

from model.synthetic.cameras import Area, area_window, cells, free_spot
from model.synthetic.ground import PIXEL_M
from model.synthetic.terrain import paint_ground
from tests.model.synthetic.test_panorama import flat_ground, with_block

AREA = Area(seed=9, left_m=0.0, bottom_m=0.0, side_m=200.0)


def test_nothing_stands_within_three_metres_of_a_place():
    ground = paint_ground(AREA.seed, area_window(AREA))
    found = [free_spot(ground, AREA.seed, cell.x_m, cell.y_m, reach_m=12.0) for cell in cells(AREA, 25.0)]
    spots = [spot for spot in found if spot is not None]
    assert len(spots) > 20
    for x, y in spots:
        row, column = int(-y // PIXEL_M) - ground.window.top, int(x // PIXEL_M) - ground.window.left
        assert ground.height_m[row - 5 : row + 6, column - 5 : column + 6].max() < 0.1
        assert 0 <= x <= 200
        assert 0 <= y <= 200


def test_a_point_inside_a_block_is_not_free_and_one_beside_it_is():
    ground = with_block(0, 0)
    assert free_spot(ground, 1, 0.0, 0.0, reach_m=0.0) is None
    assert free_spot(ground, 1, 20.0, 0.0, reach_m=0.0) == (20.0, 0.0)


def test_places_depend_on_the_seed_alone():
    ground = flat_ground()
    one, two = (free_spot(ground, seed, 3.0, 4.0, reach_m=10.0) for seed in (1, 2))
    assert one == free_spot(ground, 1, 3.0, 4.0, reach_m=10.0)
    assert not np.allclose(one, two)
