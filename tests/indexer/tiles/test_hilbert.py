import numpy as np
import pytest
from pmtiles.tile import tileid_to_zxy, zxy_to_tileid

from indexer.tiles.hilbert import hilbert_cells, hilbert_keys


@pytest.mark.parametrize("level", [0, 1, 2, 5, 14, 21, 30])
def test_agrees_with_the_pmtiles_library(level: int) -> None:
    x, y = np.random.default_rng(level).integers(0, 1 << level, (2, 50))
    before = ((1 << (2 * level)) - 1) // 3
    expected = [zxy_to_tileid(level, int(a), int(b)) - before for a, b in zip(x, y, strict=True)]
    assert hilbert_keys(x, y, level).tolist() == expected
    assert [tileid_to_zxy(key + before)[1:] for key in expected] == list(zip(x.tolist(), y.tolist(), strict=True))


@pytest.mark.parametrize("level", [0, 1, 3, 17, 30])
def test_cells_are_the_inverse_of_keys(level: int) -> None:
    x, y = np.random.default_rng(level).integers(0, 1 << level, (2, 200))
    across, down = hilbert_cells(hilbert_keys(x, y, level), level)
    assert np.array_equal(across, x)
    assert np.array_equal(down, y)


def test_neighbours_on_the_curve_touch_on_the_grid() -> None:
    x, y = hilbert_cells(np.arange(4**6), 6)
    assert (np.abs(np.diff(x)) + np.abs(np.diff(y)) == 1).all()


def test_children_follow_one_another_at_their_parents_place() -> None:
    x, y = np.random.default_rng(0).integers(0, 1 << 10, (2, 100))
    assert np.array_equal(hilbert_keys(x, y, 10) >> 2, hilbert_keys(x >> 1, y >> 1, 9))
