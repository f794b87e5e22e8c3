"""Which tiles are in a segment already: by name and place, but not those that were removed."""

from pathlib import Path

import numpy as np

from indexer.lifecycle.matching import live_tiles, rows_of_same
from tests.indexer.lifecycle.living import name_of, opened, remove
from tests.indexer.tiny import build_tiny, table_of_boxes


def test_tiles_are_found_in_any_order(tmp_path: Path) -> None:
    build_tiny(tmp_path).close()
    with opened(tmp_path / "index") as index:
        (segment,) = index.segments
        order = np.array([7, 0, 11, 3])
        assert rows_of_same(segment, segment.tiles.take(order)).tolist() == order.tolist()


def test_another_place_or_a_removed_tile_is_not_the_same(tmp_path: Path) -> None:
    build_tiny(tmp_path).close()
    remove(tmp_path / "index", ids=(name_of(0, 0),))
    with opened(tmp_path / "index") as index:
        (segment,) = index.segments
        rows = rows_of_same(segment, segment.tiles)
        gone = segment.tiles.tile_id.tolist().index(name_of(0, 0))
        assert rows.tolist() == [-1 if row == gone else row for row in range(12)]
        assert len(live_tiles(segment)) == 11
        elsewhere = table_of_boxes([1.0], [1.0], [2.0], [2.0])
        elsewhere.tile_id[0] = segment.tiles.tile_id[5]  # type: ignore[index]
        assert rows_of_same(segment, elsewhere).tolist() == [-1]
