"""Focal lengths in 35 mm terms against angles that are published or measured from the sensor's size."""

import math

import pytest

from model.inputs.lens import flat_vertical_deg, lens_angles


@pytest.mark.parametrize(
    ("focal_mm", "size_px", "angles"),
    [
        (50.0, (6000, 4000), (39.6, 27.0)),  # a full frame: 36 x 24 mm
        (50.0, (4000, 6000), (27.0, 39.6)),  # held upright
        (24.0, (4032, 3024), (71.6, 56.8)),  # a phone, whose sensor is 4:3: 9.8 x 7.3 mm behind 6.77 mm
        (24.0, (6000, 3375), (73.7, 45.7)),  # 16:9 cut from 3:2
        (26.0, (3000, 3000), (53.1, 53.1)),  # square, cut from 4:3
    ],
)
def test_angles_of_known_cameras(focal_mm, size_px, angles):
    found, doubts = lens_angles(focal_mm, *size_px)
    assert found == pytest.approx(angles, abs=0.5)
    assert doubts == ()


@pytest.mark.parametrize("focal_mm", [0.0, math.nan])
def test_an_unknown_focal_length_says_nothing(focal_mm):
    assert lens_angles(focal_mm, 4000, 3000) == (None, ())


@pytest.mark.parametrize("focal_mm", [1.0, 8.9, 65535.0, -24.0, math.inf])
def test_one_that_draws_no_flat_picture_is_a_doubt(focal_mm):
    angles, (doubt,) = lens_angles(focal_mm, 4000, 3000)
    assert angles is None
    assert "not used" in doubt


def test_the_vertical_angle_goes_with_the_tangent():
    assert flat_vertical_deg(90.0, 400, 300) == pytest.approx(73.74, abs=0.01)
    assert flat_vertical_deg(60.0, 100, 100) == pytest.approx(60.0)
