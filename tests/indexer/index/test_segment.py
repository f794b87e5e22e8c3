import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.building.plan import BuildSpec
from indexer.index.search_spec import SearchSpec
from indexer.index.segment import Segment
from indexer.index.tile_index import TileIndex
from indexer.index.zones import ZoneMap
from indexer.tiles.region import CircleRegion
from model.common.geo import LatLon
from model.inputs.transforms import InputSpec
from tests.fakes import FakeEncoder
from tests.indexer.tiny import LEFT, TOP, ZOOM, build_tiny, vector_of

APPROXIMATE = BuildSpec(search=SearchSpec(latency_ms=0))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TileIndex:
    return build_tiny(tmp_path_factory.mktemp("exact"))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> TileIndex:
    """An index with inverted lists."""
    return build_tiny(tmp_path_factory.mktemp("lists"), 8, 8, spec=APPROXIMATE)


def removing(index: TileIndex, *rows: int) -> np.ndarray:
    removed = np.zeros(index.count, np.bool_)
    removed[list(rows)] = True
    return removed


def test_a_removed_tile_is_neither_found_nor_named_nor_covered(index: TileIndex) -> None:
    row = index.row_of(ZOOM, LEFT + 1, TOP + 2)
    assert row is not None
    place = index.tile(row).bounds.centre
    whole = Segment.open(index.folder / "manifest.json")
    without = Segment.open(index.folder / "manifest.json", removed=removing(index, row))
    query = vector_of(1 * 3 + 2)
    assert whole.search(query, top_k=1)[0].rows.tolist() == [row]
    assert whole.covers(place)
    assert not without.covers(place)
    assert row not in without.search(query, top_k=index.count)[0].rows
    assert without.row_of(ZOOM, LEFT + 1, TOP + 2) is None
    assert without.live_rows.tolist() == [other for other in range(index.count) if other != row]
    assert without.score_all(query).rows.tolist() == without.live_rows.tolist()
    for other in without.live_rows.tolist():
        tile = without.tile(other)
        assert without.row_of(tile.z, tile.x, tile.y) == other
    whole.close()
    without.close()


def test_a_row_that_was_added_again_is_found_behind_one_that_was_removed(index: TileIndex) -> None:
    twice = np.repeat(np.arange(index.count), 2)
    tiles = index.segments[0].tiles.take(twice)
    vectors = index.segments[0].vectors
    manifest = replace(index.segments[0].manifest, count=len(twice))
    segment = Segment(index.folder, manifest, tiles, vectors, removed=np.arange(len(twice)) % 2 == 0)
    for row in range(index.count):
        tile = index.tile(row)
        assert segment.row_of(tile.z, tile.x, tile.y) == 2 * row + 1


def test_a_segment_without_lists_compares_every_row(index: TileIndex) -> None:
    segment = Segment.open(index.folder / "manifest.json")
    assert segment.exact
    assert segment.search(vector_of(0), top_k=1)[0].exact
    segment.close()


def test_lists_are_used_unless_all_rows_are_asked_for(listed: TileIndex) -> None:
    for exact in (False, True):
        segment = Segment.open(listed.folder / "manifest.json", exact=exact)
        (found,) = segment.search(vector_of(20), top_k=3)
        assert (segment.exact, found.exact, found.scanned == 64) == (exact, exact, exact)
        segment.close()
    path = Path(listed.folder / "manifest.json")
    with_some = Segment.open(path, exact=True, removed=removing(listed, 3))
    assert with_some.search(vector_of(20), top_k=3)[0].scanned == 63
    with_some.close()


def test_lists_propose_no_row_that_was_removed_and_as_many_others(listed: TileIndex) -> None:
    query = vector_of(20)
    (whole,) = listed.search(query, top_k=5)
    gone = int(whole.rows[0])
    segment = Segment.open(listed.folder / "manifest.json", removed=removing(listed, gone))
    (found,) = segment.search(query, top_k=5)
    assert found.rows[:4].tolist() == whole.rows[1:].tolist()
    assert found.scores[:4].tolist() == whole.scores[1:].tolist()
    assert not found.exact
    segment.close()


def test_a_place_on_a_tile_is_moved_by_shares_of_its_side_east_and_south(tmp_path: Path) -> None:
    inputs = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, anchors=3)
    index = build_tiny(tmp_path, 2, 2, encoder=FakeEncoder(inputs=inputs))
    (segment,) = index.segments
    bounds = index.tile(2).bounds
    for anchor, (east, south) in enumerate(segment.manifest.anchors):
        for shift in ((0.0, 0.0), (0.1, -0.2)):
            place = segment.point(2, anchor, shift)
            centre = LatLon(float(segment.tiles.lat[2]), float(segment.tiles.lon[2]))
            assert place.lon == pytest.approx(centre.lon + (east + shift[0]) * (bounds.east - bounds.west), abs=1e-9)
            assert place.lat == pytest.approx(centre.lat - (south + shift[1]) * (bounds.north - bounds.south), abs=1e-9)
    assert segment.point(2, 8) == segment.point(2, 8, (0.0, 0.0)) != segment.point(2, 8, (0.01, 0.0))


def test_scores_and_searches_keep_to_their_region(index: TileIndex) -> None:
    (segment,) = index.segments
    here = CircleRegion(index.tile(7).bounds.centre, 1.0)
    assert segment.score_all(vector_of(0), region=here).rows.tolist() == [7]
    (found,) = segment.search(vector_of(0), top_k=3, region=here)
    assert (found.rows.tolist(), found.scanned, found.exact) == ([7], 1, True)


def test_tiles_are_found_on_disk_from_the_folder_that_is_said(index: TileIndex, tmp_path: Path) -> None:
    shutil.copytree(index.folder, tmp_path / "deep/er/index")
    shutil.copytree(index.folder.parent / "tiles", tmp_path / "tiles")
    path = tmp_path / "deep/er/index/manifest.json"
    beside, above = Segment.open(path), Segment.open(path, base=tmp_path)
    assert beside.source_path == tmp_path / "deep/er/tiles"
    assert beside.source is None
    assert beside.image(0) is None
    assert above.source_path == tmp_path / "tiles"
    picture = above.image(0)
    assert picture is not None
    assert picture == index.image(0)
    beside.close()
    above.close()


def test_what_a_segment_is_made_of_is_kept(index: TileIndex) -> None:
    (segment,) = index.segments
    assert (segment.dim, segment.anchors, segment.date, segment.removed) == (27, 1, None, None)
    assert segment.folder == index.folder
    assert isinstance(segment._zones, ZoneMap)
    assert segment.tile(3).tile_id == segment.tiles.tile_id[3]
