import numpy as np
import pytest

from model.common.errors import BadConfig
from model.data.augment_spec import AugmentSpec
from model.data.turned import draw_turns, with_turned

COLUMNS = 72


def columns_turned(copies):
    """How far each copy is turned; the panorama has one white column, at the left."""
    return [int(copy[0, :, 0].argmax()) for copy in copies]


def test_the_panorama_comes_first_and_its_copies_look_elsewhere():
    panorama = np.zeros((4, COLUMNS, 3), np.uint8)
    panorama[:, 0] = 255
    copies = with_turned(panorama, draw_turns(200, np.random.default_rng(0)))
    assert copies.shape == (201, 4, COLUMNS, 3)
    assert np.array_equal(copies[0], panorama)
    turns_deg = np.array(columns_turned(copies[1:])) * 360.0 / COLUMNS
    assert turns_deg.min() >= 20.0
    assert turns_deg.max() <= 340.0
    back = np.abs(turns_deg - 180.0) <= 10.0
    assert 0.4 < back.mean() < 0.7  # a straight road looks alike both ways
    assert len(set(turns_deg[~back].tolist())) > 20


def test_none_are_made_unless_they_are_asked_for():
    panorama = np.random.default_rng(0).integers(0, 256, (4, COLUMNS, 3), np.uint8)
    assert np.array_equal(with_turned(panorama, draw_turns(0, np.random.default_rng(0))), panorama[np.newaxis])


def test_a_network_that_is_not_told_the_heading_cannot_tell_copies_apart():
    with pytest.raises(BadConfig, match=r"data\.augment\.turned is 2 and unknown_heading is true"):
        AugmentSpec(turned=2, unknown_heading=True)
