import numpy as np

from indexer.index.segment import Segment
from indexer.milvus.schema import TILE_FIELDS, day_of, entities, tile_of, widths
from indexer.tiles.tile_table import TileRecord
from model.common.geo import Bounds


def test_a_row_holds_its_tile_and_its_vector(folder_index):
    segment: Segment = folder_index.segments[0]
    rows = entities(segment, np.array([3, 5]), 10)
    assert [row["id"] for row in rows] == [10, 11]
    assert set(rows[0]) == {"id", "vector", *TILE_FIELDS}
    assert tile_of(rows[0]) == segment.tile(3)
    assert np.array_equal(rows[1]["vector"], segment.vectors[5].astype(np.float32))


def test_a_day_is_a_number_that_grows():
    assert day_of("2026-06-01") == 20260601
    assert day_of(None) == 0


def test_dates_and_places_off_the_grid_come_back():
    row = {"west": 1.0, "south": 2.0, "east": 3.0, "north": 4.0, "reach": 3.0, "lat": 3.0, "lon": 2.0, "day": 20260601,
           "z": -1, "x": -1, "y": -1, "tile": "a", "source": "a.png"}  # fmt: skip
    assert tile_of(row) == TileRecord(
        "a", None, None, None, 3.0, 2.0, Bounds(1.0, 2.0, 3.0, 4.0), "a.png", "2026-06-01"
    )


def test_texts_are_as_wide_as_the_longest(folder_index):
    found = widths(folder_index.segments)
    assert found["source"] >= max(len(text.encode()) for text in folder_index.tiles.source.tolist())
