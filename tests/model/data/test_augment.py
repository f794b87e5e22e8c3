import numpy as np
import pytest

from model.data.augment import augment_pair, jitter_colour, mirror_pair, turn_pair


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
    pair = np.random.default_rng(0).integers(0, 255, (2, 16, 16, 3), np.uint8)
    first, again, other = (augment_pair(pair[0], pair[1], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_colour_jitter_keeps_the_order_of_grey_levels():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for seed in range(20):
        jittered = jitter_colour(ramp, np.random.default_rng(seed)).astype(int)
        assert (np.diff(jittered, axis=1) >= 0).all()
