from dataclasses import replace

import numpy as np
import pytest

from model.common.errors import BadConfig
from model.synthetic.appearance import Appearance, Difficulty, Passer, draw_appearance, draw_pose
from model.synthetic.ground import Ground, Material, Window
from model.synthetic.panorama import Camera, render_panorama

TRUE_COLOURS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
PLAIN = Appearance((0.0, 0.6, 0.8), 0.0, 1.0, TRUE_COLOURS, 1.0, 1e9, 0.0, 0.0, 0)
RED, GREY = (200, 0, 0), (100, 100, 100)


def flat_ground():
    """A grey plain of 320 m around the origin."""
    window = Window(-320, -320, 640, 640)
    shape = (640, 640)
    grey = np.full((*shape, 3), 100, np.uint8)
    return Ground(window, np.zeros(shape, np.float32), grey, grey.copy(), np.zeros(shape, np.uint8))


def with_block(east_m, north_m, half_m=4.0, height_m=10.0):
    """The plain with one red block centred some metres away."""
    ground = flat_ground()
    x, y = ground.window.axes_m()
    mask = (np.abs(y - north_m) < half_m)[:, None] & (np.abs(x - east_m) < half_m)[None, :]
    ground.height_m[mask] = height_m
    ground.side[mask] = ground.top[mask] = RED
    ground.material[mask] = Material.TREE
    return ground


def camera(**change):
    return Camera(0.0, 0.0, **{"height_m": 2.0, "width_px": 128, "height_px": 64, **change})


def red_columns(picture):
    red = (picture[..., 0].astype(int) - picture[..., 1] > 60).any(axis=0)
    return np.flatnonzero(red)


@pytest.mark.parametrize(("east", "north", "share"), [(0, 40, 0.5), (40, 0, 0.75), (-40, 0, 0.25), (40, 40, 0.625)])
def test_a_block_is_seen_in_the_direction_it_stands(east, north, share):
    columns = red_columns(render_panorama(with_block(east, north), camera(), PLAIN))
    assert columns.mean() / 128 == pytest.approx(share, abs=0.01)


def test_a_block_in_the_south_lies_at_both_edges():
    columns = red_columns(render_panorama(with_block(0, -40), camera(), PLAIN))
    assert columns.min() == 0
    assert columns.max() == 127


def test_the_heading_turns_the_picture():
    columns = red_columns(render_panorama(with_block(40, 0), camera(heading_deg=90.0), PLAIN))
    assert columns.mean() / 128 == pytest.approx(0.5, abs=0.01)


def test_a_block_spans_the_angles_that_its_size_and_distance_give():
    picture = render_panorama(with_block(0, 44), camera(width_px=720, height_px=360), PLAIN)
    red = picture[..., 0].astype(int) - picture[..., 1] > 60
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert len(columns) / 2 == pytest.approx(2 * np.degrees(np.arctan(4 / 40)), abs=1.2)
    assert (180 - rows.min()) / 2 == pytest.approx(np.degrees(np.arctan(8 / 40)), abs=1.0)
    assert (rows.max() - 180) / 2 == pytest.approx(np.degrees(np.arctan(2 / 40)), abs=1.0)


def test_a_nearer_block_hides_a_farther_one():
    both, near = with_block(0, 60, half_m=2.0), with_block(0, 30, half_m=6.0, height_m=20.0)
    mask = near.height_m > 0
    both.height_m[mask] = 20.0
    both.side[mask] = both.top[mask] = (0, 0, 200)
    assert len(red_columns(render_panorama(both, camera(), PLAIN))) == 0


def test_below_the_horizon_lies_ground_and_above_it_sky():
    picture = render_panorama(flat_ground(), camera(), PLAIN)
    assert np.abs(picture[40:].astype(int) - GREY).max() < 12
    assert picture[:20, :, 2].min() > 150


def test_a_vehicle_is_seen_only_from_the_ground():
    vehicle = Passer(0.5, 0.1, 10.0, 1.8, 1.8, (255.0, 0.0, 0.0), (255.0, 0.0, 0.0))
    columns = red_columns(render_panorama(flat_ground(), camera(), replace(PLAIN, passers=(vehicle,))))
    assert 64 in columns
    assert 10 < len(columns) < 20


def test_a_person_wears_two_colours_the_upper_above_the_lower():
    person = Passer(0.5, 0.1, 5.0, 0.5, 1.8, (0.0, 0.0, 250.0), (250.0, 0.0, 0.0))
    picture = render_panorama(flat_ground(), camera(), replace(PLAIN, passers=(person,))).astype(int)
    red = np.flatnonzero(picture[:, 66, 0] - picture[:, 66, 2] > 100)
    blue = np.flatnonzero(picture[:, 66, 2] - picture[:, 66, 0] > 100)
    assert 0 < red.max() < blue.min()


@pytest.mark.parametrize(("lean", "highest"), [({"pitch_deg": -8.0}, 0.5), ({"roll_deg": 8.0}, 0.75)])
def test_a_camera_that_leans_down_on_one_side_sees_the_horizon_higher_there(lean, highest):
    picture = render_panorama(flat_ground(), camera(height_px=256, **lean), PLAIN)
    horizon = (picture[..., 2] > 150).sum(axis=0)  # rows of sky in each column
    column = np.flatnonzero(horizon == horizon.min()).mean()
    assert column / 128 == pytest.approx(highest, abs=0.02)
    assert (128 - horizon.min()) / 256 * 180 == pytest.approx(8.0, abs=1.5)


def test_a_shadow_falls_on_the_ground_beside_what_casts_it():
    sunny = replace(PLAIN, sun=(0.6, 0.0, 0.8), sun_share=0.9)  # in the east
    picture = render_panorama(with_block(0, 20, height_m=12.0), camera(height_px=256), sunny).astype(int)
    beside = picture[135:138, :, 0]
    west, east = beside[:, 53:57].mean(), beside[:, 71:75].mean()
    assert west < 0.75 * east


def test_pose_and_looks_of_a_pair_are_drawn_apart():
    """A pose that followed from the tile's light would tell a network which tile belongs to which panorama."""
    standard = Difficulty(tilt_deg=10.0)
    for number in (7, 5_000_012_345):
        above, below = (draw_appearance(3, number, standard, from_ground=side) for side in (False, True))
        pose = draw_pose(3, number, standard)
        suns = [(look.sun_share - 0.45) / 0.4 for look in (above, below)]
        draws = [pose.lift_m / 0.5, pose.pitch_deg / 10.0, pose.roll_deg / 10.0]
        assert all(abs(draw - sun) > 1e-3 for draw in draws for sun in suns)
        assert above.noise_seed != below.noise_seed


def test_the_same_look_gives_the_same_bytes_and_looks_differ_by_number():
    ground, difficulty = with_block(20, 20), Difficulty()
    looks = [draw_appearance(1, number, difficulty, from_ground=True) for number in (4, 4, 5)]
    pictures = [render_panorama(ground, camera(), look).tobytes() for look in looks]
    assert pictures[0] == pictures[1] != pictures[2]


def test_rounding_of_directions_hides_the_last_bits_of_the_sine(monkeypatch):
    """Another processor's sine may differ in its last bit; the picture must not."""
    from model.synthetic import panorama

    look = draw_appearance(1, 1, Difficulty(), from_ground=True)
    ground = with_block(17, 23)
    expected = render_panorama(ground, camera(), look)
    panorama._directions.cache_clear()
    sine, cosine = np.sin, np.cos
    monkeypatch.setattr(panorama.np, "sin", lambda v: np.nextafter(sine(v), 9))
    monkeypatch.setattr(panorama.np, "cos", lambda v: np.nextafter(cosine(v), -9))
    found = render_panorama(ground, camera(), look)
    monkeypatch.undo()
    panorama._directions.cache_clear()
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    "change", [{"vertical_deg": 0.0}, {"vertical_deg": 200.0}, {"height_m": 0.1}, {"pitch_deg": 11.0}]
)
def test_impossible_cameras_are_refused(change):
    with pytest.raises(BadConfig):
        camera(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"offset": 0.6},
        {"offset": -0.1},
        {"light": 2.0},
        {"season": -1.0},
        {"vehicles": -1},
        {"noise": -2.0},
        {"people": -1},
        {"change": 0.6},
        {"tilt_deg": 11.0},
        {"colour": 1.5},
        {"compression": -0.1},
        {"light": float("nan")},
    ],
)
def test_impossible_difficulties_are_refused(change):
    with pytest.raises(BadConfig):
        Difficulty(**change)
