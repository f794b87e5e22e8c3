"""Flat, cut and leaning pictures of the synthetic world land where its level panoramas have the same things."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from model.inputs.photo_projection import lay_photo
from model.inputs.photo_view import ResolvedView
from model.inputs.transforms import NEUTRAL, InputSpec, lay_panorama, limit_view
from model.synthetic.appearance import Difficulty, draw_appearance
from model.synthetic.cameras import free_spot
from model.synthetic.ground import Window
from model.synthetic.panorama import VIEW_M, Camera, render_panorama
from model.synthetic.terrain import paint_ground

SPEC = InputSpec(satellite_px=64, ground_height_px=64, ground_width_px=256, ground_vertical_deg=60.0)


@pytest.fixture(scope="module")
def render():
    ground = paint_ground(3, Window.around(0, 0, 100, 100, margin_m=VIEW_M + 4.0))
    look = draw_appearance(3, 1, Difficulty(), from_ground=True)
    spot = free_spot(ground, 3, 50.0, 50.0, reach_m=30.0)

    def drawn(**camera):
        return render_panorama(ground, Camera(*spot, width_px=1024, height_px=512, **camera), look)

    return drawn


@pytest.fixture(scope="module")
def panorama(render):
    return render()


@pytest.fixture(scope="module")
def whole(panorama):
    return lay_panorama(Image.fromarray(panorama), SPEC)


def flat_photo(panorama, fov_deg, width, height, heading_deg=0.0, pitch_deg=0.0):
    """What a camera with a perfect lens sees: written here by its definition, one ray a pixel."""
    reach = np.tan(np.radians(fov_deg) / 2)
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * reach
    y = ((1 - (np.arange(height) + 0.5) / height * 2) * reach * height / width)[:, np.newaxis]
    pitch = np.radians(pitch_deg)
    ahead, up = np.cos(pitch) - y * np.sin(pitch), y * np.cos(pitch) + np.sin(pitch)
    azimuth = np.arctan2(x, ahead) + np.radians(heading_deg)
    elevation = np.arctan2(up, np.hypot(x, ahead))
    rows, columns = panorama.shape[:2]
    column = np.floor((azimuth / (2 * np.pi) + 0.5) * columns).astype(np.int64) % columns
    row = np.floor((0.5 - elevation / np.pi) * rows).astype(np.int64)
    return Image.fromarray(panorama[row, column])


def difference(laid, whole):
    """Mean difference in grey levels where the photo shows something."""
    seen = (laid != NEUTRAL).any(axis=-1)
    assert seen.mean() > 0.02
    return np.abs(laid.astype(np.int64) - whole)[seen].mean()


@pytest.mark.parametrize("heading_deg", [0.0, 135.0])
@pytest.mark.parametrize(("fov_deg", "width", "height"), [(90.0, 640, 480), (53.0, 480, 640), (110.0, 640, 360)])
def test_a_flat_photo_lies_where_the_panorama_has_it(panorama, whole, fov_deg, width, height, heading_deg):
    photo = flat_photo(panorama, fov_deg, width, height, heading_deg)
    vertical_deg = np.degrees(2 * np.arctan(np.tan(np.radians(fov_deg) / 2) * height / width))
    laid = lay_photo(photo, SPEC, ResolvedView(heading_deg, fov_deg, float(vertical_deg), projection="rectilinear"))
    stretched = lay_panorama(photo, SPEC, heading_deg=heading_deg, fov_deg=fov_deg)
    assert difference(laid, whole) < 4
    assert difference(laid, whole) < 0.5 * difference(stretched, whole)
    seen = (laid != NEUTRAL).any(axis=(0, -1)).sum()
    assert seen == pytest.approx(256 * fov_deg / 360, abs=2)


@pytest.mark.parametrize("pitch_deg", [-15.0, 20.0])
def test_a_flat_photo_that_looks_up_or_down_lies_where_the_panorama_has_it(panorama, whole, pitch_deg):
    photo = flat_photo(panorama, 70.0, 640, 480, pitch_deg=pitch_deg)
    vertical_deg = float(np.degrees(2 * np.arctan(np.tan(np.radians(35.0)) * 0.75)))
    right, level = (
        lay_photo(photo, SPEC, ResolvedView(0.0, 70.0, vertical_deg, centre_deg, projection="rectilinear"))
        for centre_deg in (pitch_deg, 0.0)
    )
    assert difference(right, whole) < 4
    assert difference(right, whole) < 0.5 * difference(level, whole)


@pytest.mark.parametrize(
    ("left", "top", "width", "height"), [(0, 100, 512, 200), (700, 0, 200, 300), (100, 300, 800, 212)]
)
def test_a_cut_panorama_lies_where_it_was_cut(panorama, whole, left, top, width, height):
    cut = Image.fromarray(panorama[top : top + height, left : left + width])
    view = ResolvedView(
        heading_deg=((left + width / 2) / 1024 - 0.5) * 360.0 % 360.0,
        fov_deg=360.0 * width / 1024,
        vertical_deg=180.0 * height / 512,
        centre_deg=90.0 - 180.0 * (top + height / 2) / 512,
    )
    laid = lay_photo(cut, SPEC, view)
    assert difference(laid, whole) < 3
    assert difference(lay_panorama(cut, SPEC, heading_deg=view.heading_deg, fov_deg=view.fov_deg), whole) > 6


@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(8.0, 0.0), (0.0, -7.0), (-5.0, 6.0)])
def test_a_lean_is_undone(render, whole, pitch_deg, roll_deg):
    leaning = Image.fromarray(render(pitch_deg=pitch_deg, roll_deg=roll_deg))
    view = ResolvedView(0.0, 360.0, 180.0, pitch_deg=pitch_deg, roll_deg=roll_deg)
    undone, left = lay_photo(leaning, SPEC, view), lay_panorama(leaning, SPEC)
    assert difference(undone, whole) < 0.4 * difference(left, whole)


def test_the_lean_of_a_part_is_that_of_the_whole(render, whole):
    leaning = render(pitch_deg=8.0)
    part = Image.fromarray(leaning[:, 512:])  # looks east, where the lean is a roll
    right, wrong = (
        limit_view(  # columns at the cut lean into the other half
            lay_photo(part, SPEC, ResolvedView(90.0, 180.0, 180.0, offset_deg=offset_deg, pitch_deg=8.0)), 150.0, 90.0
        )
        for offset_deg in (90.0, 0.0)
    )
    assert difference(right, whole) < 0.5 * difference(wrong, whole)


def test_a_level_panorama_is_laid_as_ever(panorama):
    image = Image.fromarray(panorama)
    view = ResolvedView(40.0, 360.0, 180.0, pitch_deg=0.3)
    assert np.array_equal(lay_photo(image, SPEC, view), lay_panorama(image, SPEC, heading_deg=40.0))


def test_a_photo_of_unknown_heading_lies_in_the_middle(panorama):
    photo = flat_photo(panorama, 90.0, 320, 240)
    unknown, north = (
        lay_photo(photo, SPEC, ResolvedView(heading, 90.0, 73.74, projection="rectilinear")) for heading in (None, 0.0)
    )
    assert np.array_equal(unknown, north)


@pytest.mark.parametrize("antialias", [True, False])
def test_where_the_canvas_takes_the_whole_height_a_flat_photo_fills_it(panorama, antialias):
    spec = InputSpec(64, 64, 256, None, antialias=antialias)
    laid = lay_photo(flat_photo(panorama, 90.0, 320, 240), spec, ResolvedView(0.0, 90.0, 73.74, 10.0, "rectilinear"))
    assert (laid[:, 128] != NEUTRAL).any(axis=-1).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1)])
@pytest.mark.parametrize("projection", ["rectilinear", "equirectangular"])
def test_the_smallest_pictures_are_laid(size, projection):
    image = Image.new("RGB", size, (200, 10, 10))
    for angles in ((0.001, 0.001), (120.0, 179.0)):
        laid = lay_photo(image, SPEC, ResolvedView(0.0, *angles, projection=projection, pitch_deg=89.0, roll_deg=180.0))
        assert laid.shape == (64, 256, 3)


@pytest.mark.parametrize(("pitch_deg", "middle_deg"), [(0.0, -5.0), (-10.0, -10.0), (12.0, 0.0)])
def test_a_flat_photo_lies_where_a_lowered_canvas_has_it(panorama, pitch_deg, middle_deg):
    """70 degrees high, so that the lower edge lies 5 degrees below the canvas's unless the camera leans."""
    spec = replace(SPEC, ground_lowered_deg=10.0)
    fov_deg, size = 90.0, (400, round(400 * np.tan(np.radians(35.0))))
    view = ResolvedView(0.0, fov_deg, 70.0, projection="rectilinear", pitch_deg=pitch_deg)
    laid = lay_photo(flat_photo(panorama, fov_deg, *size, pitch_deg=pitch_deg), spec, view)
    whole = lay_panorama(Image.fromarray(panorama), replace(spec, ground_lowered_deg=-middle_deg))
    assert difference(laid, whole) < 4.0
