import mercantile
import numpy as np
import pytest

from indexer.tiles.sources.shifted_rows import shift_of_tiles
from model.common.geo import Bounds

TILES = np.array([(14, 8_500 + x, 5_700 + y) for x in range(5) for y in range(3)], np.int64)


def box(dx: float, dy: float, *, digits: int = 9) -> Bounds:
    """The tiles' own, moved by so many tiles eastwards and southwards."""
    low, high = mercantile.bounds(8_500, 5_700, 14), mercantile.bounds(8_504, 5_702, 14)
    wide, tall = (high.east - low.west) / 5, (low.north - high.south) / 3
    edges = low.west + dx * wide, high.south - dy * tall, high.east + dx * wide, low.north - dy * tall
    return Bounds(*(round(edge, digits) for edge in edges))


@pytest.mark.parametrize(
    ("dx", "dy", "words"),
    [(0, 0, ""), (1, 0, "west"), (0, -1, "south"), (-1, -1, "south and east"), (2, 0, ""), (0.5, 0, "")],
)
def test_a_shift_by_one_tile_is_told_in_words(dx: float, dy: float, words: str) -> None:
    assert shift_of_tiles(TILES, box(dx, dy)) == words


def test_edges_that_are_rounded_or_cross_the_antimeridian_tell_nothing() -> None:
    assert shift_of_tiles(TILES, box(1, 0, digits=1)) == ""
    assert shift_of_tiles(TILES, Bounds(179.0, 47.0, -179.0, 48.0)) == ""
