"""Shapes of honest pictures pass; those that cannot go with their field of view are named, with what to set."""

import pytest

from model.plausibility import shape_warnings


@pytest.mark.parametrize(
    ("width_px", "height_px", "fov_deg"),
    [
        (2048, 1024, 360.0),  # a whole sphere
        (2047, 1025, 360.0),
        (1232, 224, 360.0),  # CVUSA
        (1024, 128, 360.0),  # 8:1
        (4000, 3000, 70.0),  # a phone
        (3000, 4000, 55.0),
        (1080, 1920, 45.0),
        (6000, 4000, 20.0),  # a long lens
        (1920, 800, 90.0),
        (4096, 1024, 180.0),  # half a panorama strip
        (1000, 1000, 180.0),
        (1024, 512, 90.0),  # may be a panorama; may be a phone's screen
    ],
)
def test_possible_shapes_pass(width_px, height_px, fov_deg):
    assert shape_warnings(width_px, height_px, fov_deg) == []


@pytest.mark.parametrize(
    ("width_px", "height_px", "fov_deg", "words"),
    [
        (4000, 3000, 360.0, ["1.33:1", "fov_deg 360", "fov_deg 70"]),
        (3000, 4000, 360.0, ["0.75:1", "fov_deg 70"]),
        (1880, 1000, 360.0, ["fov_deg 70"]),
        (1000, 1000, 270.0, ["270 degrees high", "at most 180"]),
        (600, 800, 180.0, ["240 degrees high", "at most 135"]),
        (4096, 512, 90.0, ["11.2 degrees high", "up to 360"]),
        (10_000, 100, 360.0, ["3.6 degrees high", "squeezed"]),
        (1, 1000, 90.0, ["90000 degrees high"]),
    ],
)
def test_impossible_shapes_are_named(width_px, height_px, fov_deg, words):
    (warning,) = shape_warnings(width_px, height_px, fov_deg)
    for word in words:
        assert word in warning
