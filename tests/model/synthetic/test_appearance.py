import numpy as np
import pytest

from model.common.errors import BadConfig
from model.synthetic.appearance import Difficulty, draw_appearance, draw_pose

CALM = Difficulty(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_one_number_is_one_look_and_another_is_another():
    one, again, other = (draw_appearance(3, number, Difficulty(), from_ground=True) for number in (1, 1, 2))
    assert one == again
    assert one != other
    assert draw_appearance(3, 1, Difficulty(), from_ground=False).passers == ()


def test_without_difficulty_all_pictures_look_alike_and_colours_stay():
    one, other = (draw_appearance(3, number, CALM, from_ground=True) for number in (1, 2))
    assert (one.sun, one.exposure, one.rendition, one.tone) == (other.sun, other.exposure, other.rendition, other.tone)
    assert (one.season, one.noise, one.jpeg_quality, one.passers) == (0.0, 0.0, 90, ())
    grey = one.develop(np.full((2, 2, 3), 100.0, np.float32))
    assert np.abs(grey.astype(int) - 100).max() < 20


def test_developing_is_the_same_each_time_and_noise_is_as_strong_as_drawn():
    noisy = draw_appearance(3, 4, Difficulty(noise=8.0), from_ground=True)
    scene = np.full((64, 64, 3), 100.0, np.float32)
    picture = noisy.develop(scene)
    assert (picture == noisy.develop(scene)).all()
    assert picture.astype(float).std(axis=(0, 1)).max() == pytest.approx(noisy.noise, rel=0.5, abs=1.0)


def test_a_pose_stays_within_the_tilt():
    poses = [draw_pose(1, number, Difficulty(tilt_deg=3.0)) for number in range(200)]
    assert max(abs(pose.pitch_deg) for pose in poses) <= 3.0
    assert max(abs(pose.roll_deg) for pose in poses) > 2.0
    assert draw_pose(1, 5, CALM).pitch_deg == 0.0


@pytest.mark.parametrize("wrong", [{"offset": 0.6}, {"tilt_deg": -1}, {"light": 1.5}, {"vehicles": -1},
                                   {"noise": float("nan")}])  # fmt: skip
def test_a_difficulty_that_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(BadConfig, match=next(iter(wrong))):
        Difficulty(**wrong)
