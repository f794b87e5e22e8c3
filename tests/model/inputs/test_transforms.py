from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from model.common.errors import BadConfig
from model.inputs.transforms import (
    NEUTRAL,
    InputSpec,
    canvas_middle_deg,
    lay_panorama,
    limit_view,
    resize_tile,
    roll_to_north,
)
from model.synthetic.panorama import Camera, render_panorama
from tests.model.synthetic.test_panorama import PLAIN, with_block

SPEC = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, ground_vertical_deg=180.0)


def striped(width=64, height=32, bright=None):
    pixels = np.zeros((height, width, 3), np.uint8)
    if bright is not None:
        pixels[:, bright] = 255
    return Image.fromarray(pixels)


def test_a_north_facing_panorama_keeps_its_columns():
    laid = lay_panorama(striped(bright=slice(30, 34)), SPEC)
    assert laid[16, 31].tolist() == [255] * 3
    assert laid[16, 0].tolist() == [0] * 3


def test_the_centre_of_an_east_facing_panorama_lands_at_three_quarters():
    laid = lay_panorama(striped(bright=slice(30, 34)), SPEC, heading_deg=90.0)
    assert laid[16].mean(axis=1).argmax() in range(46, 50)


def test_a_narrow_photo_lies_in_the_middle_of_a_neutral_canvas():
    laid = lay_panorama(striped(16, 8), SPEC, fov_deg=90.0)
    assert laid[16, 32].tolist() == [0] * 3
    assert laid[16, 4].tolist() == [NEUTRAL] * 3
    assert laid[2, 32].tolist() == [NEUTRAL] * 3  # 45 degrees high on a canvas of 180


@pytest.mark.parametrize(
    ("fov_deg", "heading_deg", "columns", "rows"),
    [
        (90.0, 0.0, range(24, 40), range(12, 20)),  # 16 columns; 45 degrees of 180 are 8 rows
        (57.0, 0.0, range(27, 37), range(13, 18)),  # 10 columns, 5 rows, the odd one below
        (50.0, 0.0, range(27, 36), range(14, 18)),  # 9 columns, the odd one right, 4 rows
        (90.0, -90.0, range(8, 24), range(12, 20)),
        (90.0, 135.0, [*range(48, 64)], range(12, 20)),
    ],
)
def test_a_photo_covers_the_columns_and_rows_of_its_angles_and_no_more(fov_deg, heading_deg, columns, rows):
    laid = lay_panorama(striped(16, 8), SPEC, fov_deg=fov_deg, heading_deg=heading_deg)
    expected = np.full((32, 64), NEUTRAL)
    expected[np.ix_(rows, columns)] = 0
    assert np.array_equal(laid, np.repeat(expected[..., np.newaxis], 3, axis=2))


def test_the_rows_that_a_canvas_shows_are_those_of_its_vertical_angle():
    """Rows of 1 degree, each as bright as its number: of 180 degrees the middle 60, each row 60 / 32 degrees."""
    image = Image.fromarray(np.repeat(np.arange(180, dtype=np.uint8)[:, np.newaxis, np.newaxis], 3, axis=2))
    for antialias in (True, False):
        spec = InputSpec(32, 32, 64, ground_vertical_deg=60.0, antialias=antialias)
        laid = lay_panorama(image.resize((90, 180)), spec, vertical_deg=180.0)
        np.testing.assert_allclose(laid[:, 5, 0], 59.5 + (np.arange(32) + 0.5) * 60 / 32, atol=1.01)
        assert (laid == laid[:, :1]).all()


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("vertical_deg", [60.0, 20.0])
def test_a_picture_is_laid_from_its_first_column_and_row_to_its_last(antialias, vertical_deg):
    """A canvas of 40 degrees: of 60 the middle is seen, 20 are seen whole. The picture is bright where it says."""
    spec = InputSpec(32, 40, 400, ground_vertical_deg=40.0, antialias=antialias)
    height = round(vertical_deg)
    pixels = np.stack(np.broadcast_arrays(np.arange(200), np.arange(height)[:, np.newaxis], 0), axis=-1)
    laid = lay_panorama(Image.fromarray(pixels.astype(np.uint8)), spec, fov_deg=180.0, vertical_deg=vertical_deg)
    assert laid.dtype == np.uint8
    seen = laid[19, 100:300].astype(float)
    np.testing.assert_allclose(seen[1:-1, 0], np.arange(200)[1:-1], atol=0.51)
    rows = laid[:, 200, 1].astype(float)
    first, last = (0, 40) if vertical_deg > 40 else (10, 30)
    expected = np.arange(40) + (vertical_deg - 40) / 2
    np.testing.assert_allclose(rows[first + 1 : last - 1], expected[first + 1 : last - 1], atol=0.51)
    assert (rows[:first] == NEUTRAL).all()
    assert (rows[last:] == NEUTRAL).all()


def test_on_a_wide_canvas_angles_are_exact_to_the_column():
    spec = InputSpec(32, 32, 2048, ground_vertical_deg=None)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 2048, 3), np.uint8)
    laid = lay_panorama(Image.fromarray(pixels), spec)
    assert np.array_equal(laid, pixels)  # looks north unless told otherwise, and goes all the way round
    for heading_deg in (45.0, -90.0, 270.0):
        turned = np.roll(pixels, round(2048 * heading_deg / 360), axis=1)
        assert np.array_equal(lay_panorama(Image.fromarray(pixels), spec, heading_deg=heading_deg), turned)
        assert np.array_equal(roll_to_north(pixels, heading_deg), turned)
        seen = np.flatnonzero(limit_view(np.zeros_like(pixels), 45.0, heading_deg)[0, :, 0] == 0)
        middle = 1024 + round(2048 * heading_deg / 360)
        assert sorted(seen) == sorted(np.arange(middle - 128, middle + 128) % 2048)


def test_resizing_averages_and_never_overshoots():
    pixels = np.where(np.arange(16)[:, np.newaxis] < 8, 100, 200).astype(np.uint8)
    image = Image.fromarray(np.repeat(np.tile(pixels, 16)[..., np.newaxis], 3, axis=2))
    found = resize_tile(image, InputSpec(satellite_px=64))
    assert (found.min(), found.max()) == (100, 200)


def test_a_strip_of_half_a_degree_is_a_row():
    laid = lay_panorama(striped(), SPEC, vertical_deg=0.5)
    assert (laid == 0).all(axis=(1, 2)).sum() == 1


def test_a_picture_exactly_as_high_as_the_canvas_fills_it():
    laid = lay_panorama(striped(64, 32), SPEC, vertical_deg=180.0)
    assert (laid == 0).all()
    assert (lay_panorama(striped(64, 32), SPEC, vertical_deg=174.0) == 0).all(axis=(1, 2)).sum() == 31


def test_rows_beyond_the_canvas_are_cropped_around_the_horizon():
    spec = InputSpec(32, 32, 64, ground_vertical_deg=60.0)
    pixels = np.zeros((180, 360, 3), np.uint8)
    pixels[60:120] = 255  # 30 degrees up and down
    laid = lay_panorama(Image.fromarray(pixels), spec)
    assert laid[2:-2].min() == 255


@pytest.mark.parametrize(
    ("vertical_deg", "centre_deg", "middle_deg"),
    [(180.0, 0.0, -6.0), (60.0, 0.0, -6.0), (48.0, 0.0, -4.0), (40.0, 0.0, 0.0), (20.0, 0.0, 0.0), (40.0, -5.0, -5.0)],
)
def test_a_lowered_canvas_looks_down_as_far_as_the_picture_reaches(vertical_deg, centre_deg, middle_deg):
    """Rows as bright as their elevation: 128 at the horizon, 1 a degree."""
    spec = InputSpec(32, 80, 64, ground_vertical_deg=40.0, ground_lowered_deg=6.0)
    rows = round(vertical_deg * 4)
    elevation = centre_deg + vertical_deg / 2 - (np.arange(rows) + 0.5) / 4
    levels = np.round(128 + elevation).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(levels[:, np.newaxis, np.newaxis], (rows, 4 * 90, 3)).copy())
    laid = lay_panorama(image, spec, vertical_deg=vertical_deg, centre_deg=centre_deg)
    assert canvas_middle_deg(spec, centre_deg - vertical_deg / 2) == middle_deg
    shown = 128 + middle_deg + 20 - (np.arange(80) + 0.5) / 2
    seen = np.abs(shown - 128 - centre_deg) < vertical_deg / 2 - 1
    np.testing.assert_allclose(laid[seen, 5, 0], shown[seen], atol=1.01)


def test_a_canvas_that_takes_the_whole_height_is_not_lowered():
    spec = InputSpec(32, 32, 64, ground_vertical_deg=None, ground_lowered_deg=6.0)
    assert canvas_middle_deg(spec, -90.0) == 0.0
    assert np.array_equal(lay_panorama(striped(), spec), lay_panorama(striped(), replace(spec, ground_lowered_deg=0.0)))


def test_without_a_vertical_angle_the_whole_height_is_squeezed():
    spec = InputSpec(32, 32, 64, ground_vertical_deg=None)
    pixels = np.zeros((100, 50, 3), np.uint8)
    pixels[50:] = 255
    assert lay_panorama(Image.fromarray(pixels), spec)[-1].min() == 255


def test_a_picture_whose_pixels_are_not_square_is_matched_by_its_vertical_angle():
    spec = InputSpec(32, 32, 64, ground_vertical_deg=60.0)
    pixels = np.zeros((90, 64, 3), np.uint8)
    pixels[30:60] = 255  # of 180 degrees the middle 60
    laid = lay_panorama(Image.fromarray(pixels), spec, vertical_deg=180.0)
    assert laid[2:-2].min() == 255


def test_one_scene_rendered_at_two_sizes_lies_alike_on_the_canvas():
    """A wide picture of 60 degrees, rows finer than columns, and a full sphere with square pixels."""
    ground, spec = with_block(0, 30), InputSpec(32, 64, 256, ground_vertical_deg=40.0)
    wide, full = (
        render_panorama(ground, Camera(0.0, 0.0, width_px=w, height_px=h, vertical_deg=v), PLAIN)
        for w, h, v in ((512, 128, 60.0), (1024, 512, 180.0))
    )
    a = lay_panorama(Image.fromarray(wide), spec, vertical_deg=60.0)
    b = lay_panorama(Image.fromarray(full), spec)
    assert np.abs(a.astype(int) - b).mean() < 2.0


@pytest.mark.parametrize("fov_deg", [0.0, -10.0, 361.0, float("nan")])
def test_an_impossible_field_of_view_is_refused(fov_deg):
    with pytest.raises(BadConfig, match="fov_deg"):
        lay_panorama(striped(), SPEC, fov_deg=fov_deg)


def test_the_smallest_field_of_view_is_one_column_and_one_row():
    """Its vertical angle, half of it, underflows to 0."""
    laid = lay_panorama(striped(), SPEC, fov_deg=5e-324)
    assert (laid != NEUTRAL).any(axis=2).sum() == 1


@pytest.mark.parametrize("vertical_deg", [0.0, -1.0, float("nan")])
def test_an_impossible_vertical_angle_is_refused(vertical_deg):
    with pytest.raises(BadConfig, match="vertical_deg"):
        lay_panorama(striped(), SPEC, vertical_deg=vertical_deg)


def test_a_heading_that_is_no_number_is_refused():
    with pytest.raises(BadConfig, match="heading_deg"):
        lay_panorama(striped(), SPEC, heading_deg=float("nan"))


def test_a_full_turn_changes_nothing():
    canvas = np.random.default_rng(0).integers(0, 255, (4, 64, 3), np.uint8)
    assert np.array_equal(roll_to_north(canvas, 360.0), canvas)


def test_a_limited_view_keeps_its_share_at_its_azimuth_and_wraps_around():
    panorama = np.random.default_rng(0).integers(0, 100, (4, 360, 3), np.uint8)
    for heading_deg, columns in (
        (0.0, range(135, 225)),
        (90.0, range(225, 315)),
        (180.0, [*range(45), *range(315, 360)]),
    ):
        seen = limit_view(panorama, 90.0, heading_deg)
        assert np.array_equal(seen[:, columns], panorama[:, columns])
        assert (np.delete(seen, columns, axis=1) == NEUTRAL).all()
    assert np.array_equal(limit_view(panorama, 360.0, 77.0), panorama)


@pytest.mark.parametrize(("fov_deg", "columns"), [(360.0, 64), (90.0, 16), (87.0, 15), (0.1, 1)])
def test_a_limited_view_has_as_many_columns_whatever_its_heading(fov_deg, columns):
    black = np.zeros((2, 64, 3), np.uint8)
    for heading_deg in np.linspace(-10, 370, 50):
        assert (limit_view(black, fov_deg, heading_deg)[0, :, 0] == 0).sum() == columns


def test_a_tile_is_resized_to_the_encoders_size():
    assert resize_tile(Image.new("RGB", (256, 256), (9, 8, 7)), SPEC).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"satellite_px": 31}, "satellite_px is 31"),
        ({"ground_height_px": 31}, "ground_height_px is 31"),
        ({"ground_width_px": 31}, "ground_width_px is 31"),
        ({"ground_vertical_deg": 0.0}, "ground_vertical_deg is 0"),
        ({"ground_vertical_deg": 180.5}, "ground_vertical_deg is 180.5"),
        ({"ground_lowered_deg": -1.0}, "ground_lowered_deg is -1"),
        ({"ground_lowered_deg": 45.5}, "ground_lowered_deg is 45.5"),
        ({"anchors": 0}, "anchors is 0"),
        ({"std": (1.0, 0.0, 1.0)}, "std is"),
    ],
)
def test_impossible_inputs_are_refused(change, reason):
    with pytest.raises(BadConfig, match=reason):
        InputSpec(**change)


def test_the_least_and_the_most_that_inputs_may_be():
    least = InputSpec(32, 32, 32, ground_vertical_deg=180.0, anchors=1, std=(1e-3, 0.5, 0.5))
    assert least.satellite_size_px == least.ground_size_px == (32, 32)
    assert InputSpec(ground_vertical_deg=1.0).ground_vertical_deg == 1.0


@pytest.mark.parametrize(("margin", "keep_px"), [(0.0, 0), (0.5, 0), (0.5, 8), (0.25, 8), (0.25, 4)])
@pytest.mark.parametrize("antialias", [True, False])
def test_a_tile_shows_the_ground_inside_its_margin_and_what_is_kept_of_it(margin, keep_px, antialias):
    """A picture as bright as its columns and rows tells every pixel's place; its tile is 64 pixels wide."""
    side = round(64 * (1 + 2 * margin))
    ramp = np.arange(side, dtype=np.uint8)
    pixels = np.stack(np.broadcast_arrays(ramp, ramp[:, np.newaxis], np.uint8(0)), axis=-1)
    spec = InputSpec(satellite_px=32, antialias=antialias)
    found = resize_tile(Image.fromarray(pixels), spec, margin=margin, keep_px=keep_px).astype(float)
    assert found.shape == (32 + 2 * keep_px, 32 + 2 * keep_px, 3)
    expected = 64 * margin + (np.arange(32 + 2 * keep_px) - keep_px) * 2 + 0.5
    inner = slice(1, -1)  # at the very edge there is nothing beyond to interpolate with
    np.testing.assert_allclose(found[5, inner, 0], expected[inner], atol=1.01)
    np.testing.assert_allclose(found[inner, 5, 1], expected[inner], atol=1.01)


def test_more_margin_kept_than_there_is_shows_the_whole_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    spec = InputSpec(satellite_px=32, antialias=False)
    assert np.array_equal(resize_tile(Image.fromarray(pixels), spec, margin=0.1, keep_px=8), pixels)


def test_without_antialiasing_four_pixels_are_interpolated_however_large_the_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    sparse = InputSpec(satellite_px=32, antialias=False)
    found = resize_tile(Image.fromarray(pixels), sparse)
    # A pixel of the input is centred between four of the picture's: rows 4 n + 1 and 4 n + 2, columns likewise.
    expected = (pixels.reshape(32, 4, 32, 4, 3)[:, 1:3, :, 1:3].astype(float)).mean(axis=(1, 3))
    assert np.abs(found - expected).max() <= 1
    assert found.std() > 1.5 * resize_tile(Image.fromarray(pixels), replace(sparse, antialias=True)).std()


def test_without_antialiasing_a_picture_of_the_right_size_stays_as_it_is_and_its_middle_is_cut_out():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    sparse = InputSpec(satellite_px=32, ground_height_px=64, ground_width_px=64, antialias=False)
    middle = resize_tile(Image.fromarray(pixels), sparse, margin=0.5)
    assert np.array_equal(middle, pixels[16:48, 16:48])
    whole = replace(sparse, ground_vertical_deg=None)
    assert np.array_equal(lay_panorama(Image.fromarray(pixels), whole), pixels)
    assert (sparse.ground_decode_px, replace(sparse, antialias=True).ground_decode_px) == (None, (64, 288))


@pytest.mark.parametrize("heading_deg", [361.0, -361.0, 4294967206.0])
def test_a_heading_beyond_one_turn_is_refused(heading_deg):
    with pytest.raises(BadConfig, match="heading_deg"):
        lay_panorama(striped(), SPEC, heading_deg=heading_deg)


def test_a_heading_of_a_whole_turn_and_an_elevation_of_the_zenith_are_none_too_many():
    north = lay_panorama(striped(bright=32), SPEC)
    assert np.array_equal(lay_panorama(striped(bright=32), SPEC, heading_deg=360.0), north)
    assert np.array_equal(lay_panorama(striped(bright=32), SPEC, heading_deg=-360.0), north)
    up, down = (lay_panorama(striped(), SPEC, vertical_deg=20.0, centre_deg=one) for one in (90.0, -90.0))
    assert np.array_equal(up, down[::-1])


@pytest.mark.parametrize("centre_deg", [90.5, -91.0, float("nan")])
def test_an_impossible_elevation_is_refused(centre_deg):
    with pytest.raises(BadConfig, match="centre_deg"):
        lay_panorama(striped(), SPEC, centre_deg=centre_deg)


@pytest.mark.parametrize(
    ("centre_deg", "vertical_deg", "rows"),
    [
        (0.0, 20.0, range(16, 48)),
        (10.0, 20.0, range(32)),  # the upper half of a canvas of 40 degrees
        (-10.0, 20.0, range(32, 64)),
        (15.0, 20.0, range(24)),  # a quarter reaches out of it
        (5.0, 20.0, range(8, 40)),  # clear of both edges
        (-5.0, 20.0, range(24, 56)),
        (0.0, 60.0, range(64)),
        (40.0, 40.0, range(0)),  # only touches it
        (80.0, 20.0, range(0)),
    ],
)
def test_a_picture_whose_centre_is_off_the_horizon_lies_at_its_elevation(centre_deg, vertical_deg, rows):
    spec = InputSpec(satellite_px=64, ground_height_px=64, ground_width_px=64, ground_vertical_deg=40.0)
    white = Image.new("RGB", (64, 64), "white")
    laid = lay_panorama(white, spec, vertical_deg=vertical_deg, centre_deg=centre_deg)
    assert np.flatnonzero((laid == 255).all(axis=(1, 2))).tolist() == list(rows)


def test_of_a_picture_that_reaches_out_of_the_canvas_the_right_rows_are_seen():
    spec = InputSpec(satellite_px=64, ground_height_px=64, ground_width_px=64, ground_vertical_deg=40.0)
    rows = np.linspace(0, 255, 180).astype(np.uint8)  # a row a degree, from 90 + 20 to -90 + 20
    picture = Image.fromarray(np.broadcast_to(rows[:, np.newaxis, np.newaxis], (180, 64, 3)).copy())
    laid = lay_panorama(picture, spec, vertical_deg=180.0, centre_deg=20.0)
    assert laid[32, 0, 0] == pytest.approx(rows[110], abs=2)  # the horizon
    assert laid[0, 0, 0] == pytest.approx(rows[90], abs=2)  # 20 degrees up


def test_of_a_picture_that_lies_within_the_canvas_every_row_is_seen_once():
    spec = InputSpec(satellite_px=64, ground_height_px=64, ground_width_px=64, ground_vertical_deg=40.0)
    rows = np.arange(0, 192, 6, dtype=np.uint8)  # 32 of them
    picture = Image.fromarray(np.broadcast_to(rows[:, np.newaxis, np.newaxis], (32, 64, 3)).copy())
    laid = lay_panorama(picture, spec, vertical_deg=20.0, centre_deg=-5.0)
    assert laid[24:56, 0, 0].tolist() == rows.tolist()


@pytest.mark.parametrize("antialias", [True, False])
def test_black_and_white_stay_black_and_white(antialias):
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[::2] = 255
    found = resize_tile(Image.fromarray(pixels), InputSpec(satellite_px=128, antialias=antialias))
    assert np.array_equal(found, pixels)


def test_without_antialiasing_levels_are_rounded_not_cut():
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    found = resize_tile(Image.fromarray(pixels), InputSpec(satellite_px=32, antialias=False))
    expected = pixels.reshape(32, 4, 32, 4, 3)[:, 1:3, :, 1:3].astype(float).mean(axis=(1, 3))
    assert (found - expected).mean() == pytest.approx(0.125, abs=0.05)  # of quarters, halves go up
