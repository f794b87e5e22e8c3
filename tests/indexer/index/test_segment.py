import numpy as np

from indexer.index.segment import Segment
from tests.indexer.tiny import LEFT, TOP, ZOOM, build_tiny, vector_of


def test_a_removed_tile_is_neither_found_nor_named_nor_covered(tmp_path):
    index = build_tiny(tmp_path)
    row = index.row_of(ZOOM, LEFT + 1, TOP + 2)
    place = index.tile(row).bounds.centre
    removed = np.zeros(index.count, np.bool_)
    removed[row] = True
    whole = Segment.open(index.folder / "manifest.json")
    without = Segment.open(index.folder / "manifest.json", removed=removed)
    query = vector_of(1 * 3 + 2)
    assert whole.search(query, top_k=1)[0].rows.tolist() == [row]
    assert whole.covers(place)
    assert row not in without.search(query, top_k=index.count)[0].rows
    assert without.row_of(ZOOM, LEFT + 1, TOP + 2) is None
    assert row not in without.live_rows
    assert len(without.live_rows) == index.count - 1
    for one in (whole, without, index):
        one.close()


def test_a_segment_without_lists_compares_every_row(tmp_path):
    segment = Segment.open(build_tiny(tmp_path).folder / "manifest.json")
    assert segment.exact
    assert segment.search(vector_of(0), top_k=1)[0].exact
    segment.close()
