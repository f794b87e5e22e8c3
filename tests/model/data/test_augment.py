from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from model.common.errors import BadConfig
from model.data.augment import (
    augment_pair,
    compress,
    crop_canvas,
    crop_tile,
    drop_grid,
    drop_holes,
    jitter_colour,
    mirror_pair,
    sharpen,
    shift_colours,
    turn_pair,
    wide_inputs,
)
from model.data.augment_spec import AugmentSpec
from model.data.changes import canvas_top, tile_box
from model.inputs.transforms import NEUTRAL, InputSpec

PLAIN = AugmentSpec(turns=False, mirror=False, colour=0)


def augmented(spec, seed, panorama, tile, tile_px=32, anchors=1):
    inputs = InputSpec(satellite_px=tile_px, anchors=anchors)
    copies, tile = augment_pair(panorama, tile, inputs, spec, np.random.default_rng(seed))
    return copies[0], tile


def noise(*shape):
    return np.random.default_rng(0).integers(0, 100, shape, np.uint8)


def landmark(column, row, side=8, width=32):
    """A tile with one bright pixel, and the panorama that a camera in its middle sees of it."""
    tile = np.zeros((side, side, 3), np.uint8)
    tile[row, column] = 255
    east, north = column - (side - 1) / 2, (side - 1) / 2 - row
    heading = np.degrees(np.arctan2(east, north))
    panorama = np.zeros((4, width, 3), np.uint8)
    panorama[:, int(np.floor((heading / 360 + 0.5) * width)) % width] = 255
    return panorama, tile


def bright(panorama, tile):
    return int(panorama[0, :, 0].argmax()), tuple(
        int(v) for v in np.unravel_index(tile[..., 0].argmax(), tile.shape[:2])
    )


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize(("column", "row"), [(6, 1), (0, 3), (4, 7)])
def test_a_turned_pair_shows_the_landmark_in_the_same_direction_in_both_views(quarters, column, row):
    panorama, tile = turn_pair(*landmark(column, row), quarters)
    where = np.unravel_index(tile[..., 0].argmax(), tile.shape[:2])
    expected, _ = landmark(int(where[1]), int(where[0]))
    assert bright(panorama, tile)[0] == pytest.approx(bright(expected, tile)[0], abs=1)


@pytest.mark.parametrize(("column", "row"), [(6, 1), (0, 3), (4, 7)])
def test_a_mirrored_pair_shows_the_landmark_in_the_same_direction_in_both_views(column, row):
    panorama, tile = mirror_pair(*landmark(column, row))
    where = np.unravel_index(tile[..., 0].argmax(), tile.shape[:2])
    expected, _ = landmark(int(where[1]), int(where[0]))
    assert bright(panorama, tile)[0] == pytest.approx(bright(expected, tile)[0], abs=1)


def test_augmentation_depends_on_its_generator_alone():
    every = AugmentSpec(blur=0.5, erase=0.5, shift=1, fov_share=0.5, heading_jitter_deg=10)
    pair = noise(16, 64, 3), noise(48, 48, 3)
    first, again, other = (augmented(every, seed, *pair) for seed in (1, 1, 2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_colour_jitter_keeps_the_order_of_grey_levels():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for seed in range(20):
        jittered = jitter_colour(ramp, np.random.default_rng(seed)).astype(int)
        assert (np.diff(jittered, axis=1) >= 0).all()


def test_without_any_augmentation_a_pair_is_itself_less_the_margin():
    panorama, tile = noise(16, 64, 3), noise(48, 48, 3)
    same, cropped = augmented(PLAIN, 0, panorama, tile)
    assert np.array_equal(same, panorama)
    assert np.array_equal(cropped, tile[8:40, 8:40])


@pytest.mark.parametrize("side", [32, 48, 49])
def test_a_shifted_crop_stays_inside_the_picture_and_reaches_its_corners(side):
    tile = noise(side, side, 3)
    assert tile_box(side, 32, (-99, -99)).tolist() == [0, 0, 32]
    assert tile_box(side, 32, (99, 99)).tolist() == [side - 32, side - 32, 32]
    assert crop_tile(tile, 32).shape == (32, 32, 3)
    for seed in range(20):
        assert augmented(AugmentSpec(shift=1), seed, noise(16, 64, 3), tile)[1].shape == (32, 32, 3)


@pytest.mark.parametrize(("shift", "reach"), [(1.0, 6), (0.0, 0)])
def test_with_anchors_the_camera_stands_in_its_anchors_cell_and_every_anchor_comes(shift, reach):
    tile = np.zeros((96, 96, 3), np.uint8)
    tile[47:49, 47:49] = 255  # where the camera stands
    seen, missing = [], set()
    for seed in range(80):
        _, placed = augmented(replace(PLAIN, shift=shift), seed, noise(16, 64, 3), tile, tile_px=64, anchors=3)
        assert placed.shape == (64, 64, 3)
        seen.append(np.argwhere(placed[..., 0] == 255).mean(axis=0) + 0.5 - 32)
        beyond = placed[..., 0] == NEUTRAL
        missing.add((int(beyond.all(axis=1).sum()), int(beyond.all(axis=0).sum())))
    assert 0.7 * reach <= np.abs(seen).max() <= reach + 0.5
    assert missing == {(rows, columns) for rows in (0, 11) for columns in (0, 11)}


def test_what_a_limited_view_leaves_out_is_neutral_whatever_the_colours():
    spec = AugmentSpec(fov_share=1, fov_deg=(90, 90), blur=1)
    for seed in range(5):
        panorama, _ = augmented(spec, seed, noise(16, 64, 3), noise(32, 32, 3))
        assert (panorama == NEUTRAL).all(axis=(0, 2)).sum() == 48


@pytest.mark.parametrize(
    ("spec", "limit"), [(AugmentSpec(heading_jitter_deg=45), 8), (AugmentSpec(unknown_heading=True), 32)]
)
def test_a_heading_error_rolls_the_panorama_alone_and_no_further_than_asked(spec, limit):
    panorama, tile = np.zeros((4, 64, 3), np.uint8), noise(32, 32, 3)
    panorama[:, 32] = 255
    spec = replace(PLAIN, heading_jitter_deg=spec.heading_jitter_deg, unknown_heading=spec.unknown_heading)
    shifts = []
    for seed in range(60):
        rolled, same = augmented(spec, seed, panorama, tile)
        shifts.append(int(rolled[0, :, 0].argmax()) - 32)
        assert np.array_equal(same, tile)
    assert -limit <= min(shifts) < -limit // 2
    assert limit // 2 < max(shifts) <= limit


def test_an_erased_rectangle_is_neutral_and_takes_its_share_of_the_area():
    spec = replace(PLAIN, erase=1)
    for seed in range(20):
        pictures = augmented(spec, seed, noise(40, 160, 3), noise(80, 80, 3), tile_px=80)
        for picture in pictures:
            assert 0.015 < (picture == NEUTRAL).all(axis=2).mean() < 0.16


def test_blur_keeps_the_mean_and_lowers_the_contrast():
    panorama, tile = noise(32, 64, 3), noise(32, 32, 3)
    for before, after in zip((panorama, tile), augmented(replace(PLAIN, blur=1), 0, panorama, tile, 32), strict=True):
        assert after.mean() == pytest.approx(before.mean(), abs=2)
        assert after.std() < 0.95 * before.std()


@pytest.mark.parametrize("change", [{"colour": -0.1}, {"shift": 1.5}, {"fov_deg": (0, 90)}, {"heading_jitter_deg": -1}])
def test_impossible_strengths_are_refused(change):
    with pytest.raises(BadConfig, match=r"data\.augment\."):
        AugmentSpec(**change)


def test_what_makes_pairs_hard_grows_over_the_first_epochs_and_the_rest_stays():
    spec = AugmentSpec(shift=1.0, fov_share=0.2, heading_jitter_deg=4.0, colour=0.5, ramp_epochs=4)
    first, half, last = (spec.in_epoch(epoch) for epoch in (0, 2, 4))
    assert (first.shift, first.fov_share, first.heading_jitter_deg) == (0.0, 0.0, 0.0)
    assert (half.shift, half.fov_share, half.heading_jitter_deg) == (0.5, 0.1, 2.0)
    assert last == spec
    assert first.colour == half.colour == 0.5


def test_a_ramp_cannot_be_negative():
    with pytest.raises(BadConfig, match="ramp_epochs is -1"):
        AugmentSpec(ramp_epochs=-1)


@pytest.mark.parametrize("name", ["jpeg", "shift_colours", "sharpen", "grid", "holes"])
def test_what_public_recipes_do_is_done_to_both_views_as_often_as_asked(name):
    panorama, tile = noise(32, 64, 3), noise(32, 32, 3)
    kept = [augmented(replace(PLAIN, **{name: 0.5}), seed, panorama, tile) for seed in range(40)]
    for view, before in enumerate((panorama, tile)):
        changed = sum(not np.array_equal(pair[view], before) for pair in kept)
        assert 8 <= changed <= 32


def test_of_blur_and_sharpening_and_of_what_is_hidden_at_most_one_comes():
    flat = np.full((40, 40, 3), 30, np.uint8)
    spec = replace(PLAIN, erase=0.3, grid=0.3, holes=0.4)
    shares = [(augmented(spec, seed, flat, flat, 40)[1] == NEUTRAL).all(axis=2).mean() for seed in range(60)]
    assert min(shares) > 0
    with pytest.raises(BadConfig, match=r"data\.augment\.blur 0\.6, data\.augment\.sharpen 0\.6: at most one"):
        AugmentSpec(blur=0.6, sharpen=0.6)


def test_a_tile_may_turn_alone():
    panorama, tile = noise(16, 64, 3), noise(32, 32, 3)
    quarters = set()
    for seed in range(30):
        same, turned = augmented(replace(PLAIN, tile_turns=True), seed, panorama, tile)
        assert np.array_equal(same, panorama)
        quarters |= {k for k in range(4) if np.array_equal(turned, np.rot90(tile, k))}
    assert quarters == {0, 1, 2, 3}


CANVAS = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, ground_vertical_deg=40.0)


def test_a_wrong_horizon_moves_the_rows_of_a_higher_canvas_and_no_further_than_asked():
    wide = wide_inputs(CANVAS, AugmentSpec(horizon_deg=10.0))
    assert (wide.ground_height_px, wide.ground_vertical_deg) == (48, 60.0)
    panorama = np.zeros((48, 64, 3), np.uint8)
    panorama[24] = 255  # just below the horizon
    rows = []
    for seed in range(60):
        spec = replace(PLAIN, horizon_deg=10.0)
        (canvas,), _ = augment_pair(panorama, noise(32, 32, 3), CANVAS, spec, np.random.default_rng(seed))
        assert canvas.shape == (32, 64, 3)
        rows.append(int(canvas[:, 0, 0].argmax()))
    assert min(rows) in (8, 9)
    assert max(rows) in (23, 24)
    assert crop_canvas(panorama, CANVAS)[16].min() == 255


def test_a_lowered_canvas_is_as_low_where_the_horizon_is_drawn():
    """The marked row lies at the horizon: 8 rows above the middle of a canvas lowered by 10 degrees, 0.8 a degree."""
    lowered, spec = replace(CANVAS, ground_lowered_deg=10.0), replace(PLAIN, horizon_deg=5.0)
    wide = wide_inputs(lowered, spec)
    assert (wide.ground_height_px, wide.ground_vertical_deg, wide.ground_lowered_deg) == (56, 70.0, 0.0)
    panorama = np.zeros((56, 64, 3), np.uint8)
    panorama[28] = 255
    assert crop_canvas(panorama, lowered)[8].min() == 255
    rows = set()
    for seed in range(60):
        (canvas,), _ = augment_pair(panorama, noise(32, 32, 3), lowered, spec, np.random.default_rng(seed))
        rows.add(int(canvas[:, 0, 0].argmax()))
    assert rows == set(range(4, 13))


@pytest.mark.parametrize(("vertical_deg", "height_px"), [(40.0, 144), (100.0, 56), (180.0, 32)])
def test_a_higher_canvas_ends_at_the_zenith_and_keeps_its_scale(vertical_deg, height_px):
    inputs = replace(CANVAS, ground_vertical_deg=vertical_deg, ground_lowered_deg=45.0)
    wide = wide_inputs(inputs, AugmentSpec(horizon_deg=30.0))
    assert wide.ground_height_px == height_px
    assert wide.ground_vertical_deg == pytest.approx(height_px * vertical_deg / 32)
    assert crop_canvas(np.zeros((height_px, 64, 3), np.uint8), inputs).shape == (32, 64, 3)
    assert canvas_top(height_px, inputs, -30.0) == height_px - 32


def test_a_wrong_horizon_needs_a_canvas_with_an_angle():
    assert wide_inputs(CANVAS, AugmentSpec()) == CANVAS
    with pytest.raises(BadConfig, match=r"needs inputs\.ground_vertical_deg"):
        wide_inputs(replace(CANVAS, ground_vertical_deg=None), AugmentSpec(horizon_deg=1.0))


@pytest.mark.parametrize("anchors", [1, 3])
def test_the_ground_that_a_tile_shows_changes_and_the_camera_keeps_its_place(anchors):
    spec, sides, seen = replace(PLAIN, ground=(0.5, 2.0)), [], []
    tile = np.zeros((128, 128, 3), np.uint8)  # shows 2 x 2 tile sides, the camera in the middle
    tile[56:72, 56:72] = 255
    for seed in range(80):
        _, placed = augmented(spec, seed, noise(16, 64, 3), tile, tile_px=64, anchors=anchors)
        rows, columns = np.nonzero(placed[..., 0] > 200)
        sides.append((np.ptp(rows) + 1) / 16)
        seen += [rows.mean() - 31.5, columns.mean() - 31.5]
    assert np.abs(seen).max() <= 1.0
    assert 1.7 < max(sides) <= 2.1
    assert min(sides) < 0.6


def test_strong_colours_change_the_picture_and_greys_have_none():
    panorama, tile = noise(16, 64, 3), noise(32, 32, 3)
    found = [augmented(replace(PLAIN, recolour=1), seed, panorama, tile)[1].mean(axis=(0, 1)) for seed in range(30)]
    assert np.ptp(np.stack(found), axis=0).min() > 30
    for grey in augmented(replace(PLAIN, grey=1), 0, panorama, tile):
        assert (grey == grey[..., :1]).all()


def test_the_camera_keeps_to_its_anchors_cell_whatever_the_margin():
    tile = np.zeros((128, 128, 3), np.uint8)
    tile[63:65, 63:65] = 255
    seen = []
    for seed in range(60):
        _, placed = augmented(replace(PLAIN, shift=1), seed, noise(16, 64, 3), tile, tile_px=64, anchors=3)
        seen.append(np.abs(np.argwhere(placed[..., 0] == 255).mean(axis=0) + 0.5 - 32).max())
    assert 4 < max(seen) <= 6  # half a cell is 64 / 4 / 3 pixels


@pytest.mark.parametrize("change", [{"horizon_deg": -1.0}, {"ground": (1.5, 1.0)}, {"recolour": 2.0}, {"grey": -0.5}])
def test_impossible_horizons_and_grounds_are_refused(change):
    with pytest.raises(BadConfig, match=r"data\.augment\."):
        AugmentSpec(**change)


EVERY = (compress, partial(drop_grid, share=0.4), drop_holes, sharpen, shift_colours)


def generator(seed):
    return np.random.default_rng(seed)


def smooth(height=48, width=96):
    """A picture of slow colour gradients and one edge."""
    down, right = np.mgrid[0:height, 0:width]
    return np.stack([60 + down, 60 + right, 160 - down + 40 * (right > 50)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("change", EVERY)
def test_a_change_depends_on_its_generator_keeps_the_size_and_spares_what_it_was_given(change):
    picture = smooth()
    once, again, other = (change(picture, generator(seed)) for seed in (1, 1, 2))
    assert (once.shape, once.dtype) == (picture.shape, np.uint8)
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other) or change is compress  # two seeds may draw one quality
    assert np.array_equal(picture, smooth())


def test_compression_at_a_high_quality_moves_a_smooth_picture_little():
    for seed in range(5):
        assert np.abs(compress(smooth(), generator(seed)).astype(int) - smooth()).mean() < 4


def test_colours_shift_in_strength_and_in_hue():
    pictures = [shift_colours(smooth(), generator(seed)).astype(float) for seed in range(20)]
    brightness = np.array([picture.mean() for picture in pictures]) / smooth().mean()
    assert 0.7 < brightness.min() < 0.95
    assert 1.05 < brightness.max() < 1.3
    redness = [picture[..., 0].mean() / picture[..., 2].mean() for picture in pictures]
    assert max(redness) > 1.2 * min(redness)


def test_sharpening_raises_the_contrast_of_an_edge():
    edge = np.full((32, 32, 3), 100, np.uint8)
    edge[:, 16:] = 150
    found = sharpen(edge, generator(0))
    assert found.min() < 100
    assert found.max() > 150


@pytest.mark.parametrize("share", [0.4, 0.5])
def test_a_grid_hides_its_share_of_both_sides_in_ten_equal_steps(share):
    flat = np.zeros((100, 200, 3), np.uint8)
    for seed in range(10):
        hidden = (drop_grid(flat, generator(seed), share) == NEUTRAL).all(axis=2)
        assert hidden.mean() == pytest.approx(share**2)
        starts = np.flatnonzero(np.diff(hidden.any(axis=1).astype(int)) == 1)
        assert set(np.diff(starts)) == {10}


def test_holes_have_sides_of_a_tenth_to_a_fifth_of_the_height():
    flat = np.zeros((100, 1000, 3), np.uint8)
    for seed in range(10):
        hidden = (drop_holes(flat, generator(seed)) == NEUTRAL).all(axis=2)
        assert 0.005 < hidden.mean() <= 25 * 0.2**2 * 0.1
        assert hidden.sum(axis=1).max() > 0
