import numpy as np
import pytest

from indexer.tiles.tile_table import grid_table
from model.common.geo import Bounds
from tests.indexer.tiny import table_of_boxes


def test_a_grid_tile_knows_its_name_and_ground() -> None:
    tile = grid_table(np.array([[1, 1, 0]]), ["1/1/0.png"]).record(0)
    assert (tile.tile_id, tile.z, tile.x, tile.y, tile.source) == ("1/1/0", 1, 1, 0, "1/1/0.png")
    assert tile.bounds.as_tuple() == pytest.approx((0.0, 0.0, 180.0, 85.0511287798066))


def test_a_tile_off_the_grid_has_no_address() -> None:
    tile = table_of_boxes([8.0], [47.0], [8.1], [47.1]).record(0)
    assert (tile.z, tile.x, tile.y) == (None, None, None)
    assert (tile.lat, tile.lon) == pytest.approx((47.05, 8.05))


def test_the_centre_of_a_tile_across_the_antimeridian_lies_there() -> None:
    tile = table_of_boxes([179.9], [0.0], [-179.7], [1.0]).record(0)
    assert tile.lon == pytest.approx(-179.9)


@pytest.mark.parametrize(
    ("west", "east", "expected"),
    [
        ([8.0, 9.0], [9.0, 10.0], (8.0, 10.0)),
        ([-122.0, -74.0], [-121.0, -73.0], (-122.0, -73.0)),
        ([179.0, -180.0], [180.0, -179.0], (179.0, -179.0)),
        ([179.5, -170.0], [-179.5, -169.0], (179.5, -169.0)),
        ([-180.0, 0.0], [0.0, 180.0], (-180.0, 180.0)),
    ],
)
def test_bounds_are_the_narrowest_box(west: list[float], east: list[float], expected: tuple[float, float]) -> None:
    table = table_of_boxes(west, [0.0] * len(west), east, [1.0] * len(west))
    assert table.bounds == Bounds(expected[0], 0.0, expected[1], 1.0)


def test_the_digest_sees_every_column() -> None:
    table = grid_table(np.array([[1, 1, 0], [1, 0, 0]]), ["a", "b"])
    touched = grid_table(np.array([[1, 1, 0], [1, 0, 0]]), ["a", "b"], stamp=np.array([0, 1]))
    assert len({table.digest(), touched.digest(), table.take(np.array([1, 0])).digest()}) == 3
