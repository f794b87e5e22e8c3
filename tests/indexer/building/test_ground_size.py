from types import SimpleNamespace

import numpy as np
import pytest

from indexer.building.ground_size import ground_size_notes, tile_side_m
from indexer.tiles.tile_table import grid_table


def tiles(zoom, row):
    return grid_table(np.array([[zoom, 0, row]]), ["a"])


def encoder(ground_m):
    return SimpleNamespace(name="net", ground_m=ground_m)


def test_the_side_of_a_tile_falls_with_zoom_and_latitude():
    equator = tile_side_m(tiles(18, 2**17))
    assert equator == pytest.approx(152.7, rel=0.01)
    assert tile_side_m(tiles(17, 2**16)) == pytest.approx(2 * equator, rel=0.001)
    assert tile_side_m(tiles(18, 2**16 + 2**14)) < 0.6 * equator


@pytest.mark.parametrize(("zoom", "told"), [(16, True), (17, True), (18, False), (19, False), (20, True)])
def test_tiles_far_from_what_was_trained_on_are_told_of(zoom, told):
    notes = ground_size_notes(tiles(zoom, 2 ** (zoom - 1)), encoder((70.0, 190.0)))
    assert bool(notes) == told
    if told:
        assert "trained on 70 to 190 m" in notes[0]


def test_an_encoder_that_does_not_tell_its_sizes_is_not_warned_of():
    assert ground_size_notes(tiles(12, 2**11), encoder(None)) == []
    assert ground_size_notes(tiles(12, 2**11), SimpleNamespace(name="net")) == []
