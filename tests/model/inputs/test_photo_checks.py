"""Shapes of honest pictures pass; those that cannot go with their field of view are named, with what to set."""

import numpy as np
import pytest
from PIL import Image

from model.inputs.photo_checks import content_warnings, is_sphere, is_strip, photo_warnings, shape_warnings


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
        (1, 1000, 90.0, ["90000 degrees high", "at most 0.18"]),
    ],
)
def test_impossible_shapes_are_named(width_px, height_px, fov_deg, words):
    (warning,) = shape_warnings(width_px, height_px, fov_deg)
    for word in words:
        assert word in warning


@pytest.mark.parametrize("size_px", [(512, 256), (3, 2), (4000, 1000)])
@pytest.mark.parametrize("noise", [0.0, 10.0])
def test_a_picture_of_one_colour_shows_no_place(size_px, noise):
    width, height = size_px
    pixels = 120.0 + noise * (width > 64) * np.random.default_rng(0).standard_normal((height, width, 3))
    (warning,) = photo_warnings(Image.fromarray(pixels.astype(np.uint8)), 360.0 if width >= 2 * height else 90.0)
    assert "next to nothing" in warning


def test_sky_and_ground_are_something_to_be_seen():
    pixels = np.full((256, 512, 3), 110, np.uint8)
    pixels[:128] = 125
    assert photo_warnings(Image.fromarray(pixels), 360.0) == []


@pytest.mark.parametrize(
    ("aspect", "sphere", "strip"),
    [(2.0, True, False), (1.9, True, False), (1.78, False, False), (2.33, False, False), (3.5, False, True)],
)
def test_shapes_of_spheres_and_strips(aspect, sphere, strip):
    assert (is_sphere(aspect), is_strip(aspect)) == (sphere, strip)


def circles(radius, top=90, bottom=160, width_px=512):
    """Two circles on black, lit above and below by so many levels."""
    half = width_px // 2
    y, x = np.mgrid[:half, :half]
    inside = np.hypot(x - half / 2 + 0.5, y - half / 2 + 0.5) < radius * half / 2
    disc = np.where(inside, np.linspace(top, bottom, half)[:, None], 0)
    return Image.fromarray(np.repeat(np.hstack([disc, disc])[:, :, None], 3, axis=2).astype(np.uint8))


@pytest.mark.parametrize("radius", [0.9, 1.0, 1.05])
def test_what_two_lenses_see_is_no_panorama(radius):
    (warning,) = content_warnings(circles(radius))
    assert "two circles" in warning


def test_dark_edges_of_a_panorama_are_no_circles():
    padded = np.full((256, 512, 3), 120, np.uint8)
    padded[:40] = padded[-40:] = 0
    padded[100:150, ::2] = 200
    for picture in (Image.fromarray(padded), circles(1.0, top=0), circles(1.0).resize((400, 300)), circles(2.0)):
        assert not [words for words in content_warnings(picture) if "circles" in words]
