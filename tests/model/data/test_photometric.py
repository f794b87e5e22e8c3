from functools import partial

import numpy as np
import pytest

from model.data.photometric import compress, drop_grid, drop_holes, sharpen, shift_colours
from model.inputs.transforms import NEUTRAL

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
