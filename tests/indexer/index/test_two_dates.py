"""An index of several segments of several dates: which rows, which part, and what is left since a day."""

import datetime
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadQuery, IndexMismatch
from indexer.index.tile_index import TileIndex
from indexer.tiles.region import CircleRegion, RecentImagery
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import add, name_of, put_tile, remove
from tests.indexer.tiny import LEFT, TOP, ZOOM, build_tiny, vector_of

OLD, NEW = datetime.date(2025, 5, 31), datetime.date(2026, 6, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four tiles without a date, two of OLD, three of NEW, of which one was removed."""
    root = tmp_path_factory.mktemp("dates")
    build_tiny(root, 2, 2).close()
    for row in range(2):
        put_tile(root / "old", 7, row, 100 + row)
    add(root / "index", root / "old", date=OLD)
    for row in range(3):
        put_tile(root / "new", 9, row, 200 + row)
    add(root / "index", root / "new", date=NEW)
    remove(root / "index", ids=(name_of(9, 1),))
    return root / "index"


@pytest.fixture(scope="module")
def index(folder: Path) -> TileIndex:
    return TileIndex.open(folder)


def best_of(index: TileIndex, seed: int, **options: object) -> str:
    (result,) = index.search(vector_of(seed), top_k=2, **options)  # type: ignore[arg-type]
    return index.tile(int(result.rows[0])).tile_id


def test_a_row_is_found_in_its_own_segment(index: TileIndex) -> None:
    assert index.count == 8
    for start, number, rows in ((0, 0, 4), (4, 1, 2), (6, 2, 3)):
        for own in range(rows):
            assert index.place_of(start + own) == (index.segments[number], own)
            expected = index.segments[number].vectors[own].reshape(1, 27)
            np.testing.assert_array_equal(index.vector(start + own), expected)
            assert index.point(start + own, 0, (0.25, -0.5)) == index.segments[number].point(own, 0, (0.25, -0.5))
    with pytest.raises(BadQuery, match=r"^row 9 is not in the index; it has rows 0 to 8$"):
        index.place_of(9)
    assert index.live_rows.tolist() == [0, 1, 2, 3, 4, 5, *(6 + index.segments[2].live_rows).tolist()]


def test_every_tile_has_its_address_and_picture_in_the_whole(index: TileIndex) -> None:
    for row in index.live_rows.tolist():
        tile = index.tile(row)
        assert index.row_of(tile.z, tile.x, tile.y) == row
        assert index.tile_image(tile.z, tile.x, tile.y) == index.image(row) is not None
    assert index.row_of(ZOOM, LEFT + 9, TOP + 1) is None


def test_searches_join_the_segments_in_order(index: TileIndex) -> None:
    queries = np.concatenate([vector_of(seed) for seed in (1, 101, 202, 201)])
    results = index.search(queries, top_k=20)
    assert [len(result.rows) for result in results] == [8] * 4
    assert [result.scanned for result in results] == [8] * 4
    named = [index.tile(int(result.rows[0])).tile_id for result in results[:3]]
    assert named == [name_of(0, 1), name_of(7, 1), name_of(9, 2)]
    assert [len(result.rows) for result in index.search(queries, top_k=3)] == [3] * 4
    assert name_of(9, 1) not in {index.tile(int(row)).tile_id for row in results[3].rows}
    here = index.tile(int(results[2].rows[0])).bounds.centre
    assert best_of(index, 1, region=CircleRegion(here, 1.0)) == name_of(9, 2)


def test_all_scores_name_the_rows_of_the_whole(index: TileIndex) -> None:
    queries = np.concatenate([vector_of(101), vector_of(202)])
    everywhere = index.score_all(queries)
    assert everywhere.rows.tolist() == index.live_rows.tolist()
    scores = dict(zip(everywhere.rows.tolist(), everywhere.scores[:, 0].tolist(), strict=True))
    assert {row for row, score in scores.items() if score > 0.99} == {
        index.row_of(ZOOM, LEFT + 7, TOP + 1),
        index.row_of(ZOOM, LEFT + 9, TOP + 2),
    }
    here = index.tile(5).bounds.centre
    assert index.score_all(queries, region=CircleRegion(here, 1.0)).rows.tolist() == [5]


@pytest.mark.parametrize(("since", "left"), [(OLD, 4), (OLD + datetime.timedelta(1), 2), (NEW, 2)])
def test_what_is_as_old_as_the_day_is_left_and_what_was_removed_stays_so(
    folder: Path, since: datetime.date, left: int
) -> None:
    index = TileIndex.open(folder, since=since)
    assert (index.count, len(index.live_rows)) == (left, left)
    assert index.row_of(ZOOM, LEFT + 9, TOP + 1) is None
    assert {index.tile(row).date for row in index.live_rows.tolist()} == {
        str(day) for day in (OLD, NEW) if day >= since
    }
    index.close()


@pytest.mark.parametrize(("since", "first"), [(OLD, 4), (NEW, 6), (NEW + datetime.timedelta(1), 9)])
def test_a_search_may_leave_out_older_imagery_and_keep_to_an_area(
    index: TileIndex, since: datetime.date, first: int
) -> None:
    queries = np.concatenate([vector_of(1), vector_of(202)])
    live = [row for row in index.live_rows.tolist() if row >= first]
    for result in index.search(queries, top_k=20, region=RecentImagery(since)):
        assert (sorted(result.rows.tolist()), result.scanned, result.exact) == (live, len(live), True)
    assert index.score_all(queries, region=RecentImagery(since)).rows.tolist() == live
    here = CircleRegion(index.tile(4).bounds.centre, 1.0)
    for region in (RecentImagery(since, here), RecentImagery(since, CircleRegion(index.tile(0).bounds.centre, 1.0))):
        (result,) = index.search(queries[:1], top_k=20, region=region)
        expected = [4] if region.area == here and since == OLD else []
        assert result.rows.tolist() == expected
        assert index.score_all(queries, region=region).rows.tolist() == expected


def test_no_imagery_since_a_day_names_the_dates_that_there_are(folder: Path) -> None:
    with pytest.raises(BadQuery) as caught:
        TileIndex.open(folder, since=NEW + datetime.timedelta(1))
    assert str(caught.value) == (
        f"{folder} has no imagery since 2026-06-02; it has imagery of 2025-05-31, 2026-06-01, no date"
    )


def test_vectors_of_another_numeric_family_are_not_compared(index: TileIndex) -> None:
    other = FakeEncoder()
    other.numbers = "int8"
    with pytest.raises(IndexMismatch) as caught:
        index.require_encoder(other)
    assert str(caught.value) == (
        f"index {index.folder} holds vectors of the numeric family float; this encoder makes int8 ones, and the two "
        "are not compared. Rebuild it with this engine, or choose another"
    )


def test_an_index_that_names_no_numeric_family_has_the_former_one(index: TileIndex) -> None:
    unnamed = {key: value for key, value in index.manifest.encoder.items() if key != "numbers"}
    former = TileIndex(index.folder, replace(index.manifest, encoder=unnamed), index.segments)
    former.require_encoder(FakeEncoder())
    other = FakeEncoder()
    other.numbers = "int8"
    with pytest.raises(IndexMismatch, match="numeric family float;"):
        former.require_encoder(other)


def test_an_index_of_another_numeric_family_takes_encoders_of_that_one_only(index: TileIndex) -> None:
    encoder = {**index.manifest.encoder, "numbers": "int8"}
    rounded = TileIndex(index.folder, replace(index.manifest, encoder=encoder), index.segments)
    other = FakeEncoder()
    other.numbers = "int8"
    rounded.require_encoder(other)
    with pytest.raises(IndexMismatch, match="numeric family int8; this encoder makes float ones"):
        rounded.require_encoder(FakeEncoder())


def test_a_part_of_an_index_is_current_while_the_whole_is(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "index"))
    part = TileIndex.open(copy, since=NEW)
    assert part.count < TileIndex.open(copy).count
    assert part.is_current
    remove(copy, ids=(name_of(7, 1),))  # of the part that was left out
    assert not part.is_current
