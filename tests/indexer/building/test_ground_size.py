from dataclasses import replace
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
    notes = ground_size_notes("folder", tiles(zoom, 2 ** (zoom - 1)), encoder((70.0, 190.0)))
    assert bool(notes) == told
    if told:
        assert "trained on 70 to 190 m" in notes[0]
        assert "(--zoom 18)" in notes[0]  # 153 m at the equator


def test_an_encoder_that_does_not_tell_its_sizes_is_not_warned_of():
    assert ground_size_notes("folder", tiles(12, 2**11), encoder(None)) == []
    assert ground_size_notes("folder", tiles(12, 2**11), SimpleNamespace(name="net")) == []


def test_what_can_be_done_depends_on_the_source():
    (raster,) = ground_size_notes("raster", tiles(16, 2**15), encoder((70.0, 190.0)))
    assert raster.endswith("with --tile-size-m 115")
    listed = grid_table(np.array([[16, 0, 2**15]]), ["a"])
    off_grid = replace(listed, z=np.full(1, -1, listed.z.dtype))
    (note,) = ground_size_notes("list", off_grid, encoder((70.0, 190.0)))
    assert note.endswith("List tiles of that size, or take another checkpoint")
