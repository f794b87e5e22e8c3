import numpy as np
import pytest

from indexer.index.zones import SearchResult, ZoneMap, best_anchors, joined_results, nothing_found
from indexer.tiles.region import BoxRegion, CircleRegion, Region
from model.common.geo import Bounds, LatLon
from tests.indexer.tiny import table_of_boxes

rng = np.random.default_rng(0)
WEST = np.concatenate([rng.uniform(-180, 180, 4_000), rng.uniform(179, 180, 500), np.full(500, -180.0)])
SOUTH = np.concatenate([rng.uniform(-90, 88, 4_000), rng.uniform(-1, 1, 1_000)])
EAST = WEST + rng.uniform(0.001, 1.5, 5_000)
EAST = np.where(EAST > 180, EAST - 360, EAST)
NORTH = np.minimum(SOUTH + rng.uniform(0.001, 1.5, 5_000), 90.0)
TABLE = table_of_boxes(WEST, SOUTH, EAST, NORTH)
TABLE = TABLE.take(np.argsort(TABLE.curve_keys))

REGIONS: list[Region | None] = [
    None,
    BoxRegion(Bounds(-10.0, -10.0, 10.0, 10.0)),
    BoxRegion(Bounds(178.0, -5.0, -178.0, 5.0)),
    BoxRegion(Bounds(-180.0, -90.0, 180.0, 90.0)),
    BoxRegion(Bounds(0.0, 89.9, 1.0, 90.0)),
    CircleRegion(LatLon(89.0, 10.0), 500_000.0),
    CircleRegion(LatLon(0.0, 180.0), 150_000.0),
    CircleRegion(LatLon(-20.0, 30.0), 1e7),
    CircleRegion(LatLon(0.5, 100.0), 1.0),
]


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_runs_hold_exactly_the_tiles_that_touch(region: Region | None) -> None:
    runs = ZoneMap(TABLE).runs(region)
    found = [row for start, stop in runs.tolist() for row in range(start, stop)]
    mask = [True] * len(TABLE) if region is None else region.mask(TABLE.west, TABLE.south, TABLE.east, TABLE.north)
    assert found == np.flatnonzero(mask).tolist()


def test_runs_are_apart_and_ascending() -> None:
    runs = ZoneMap(TABLE).runs(BoxRegion(Bounds(-60.0, -60.0, 60.0, 60.0)))
    assert (runs[:, 0] < runs[:, 1]).all()
    assert (runs[1:, 0] > runs[:-1, 1]).all()


@pytest.mark.parametrize(("per_tile", "numbers"), [(1, [7, 3, 5]), (2, [14, 7, 10])])
def test_no_more_tiles_come_back_than_were_asked_for(per_tile: int, numbers: list[int]) -> None:
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    rows, best, anchors = best_anchors(scores, np.array(numbers), per_tile, 2)
    assert rows.tolist() == [7, 3]
    assert best.tolist() == scores[:2].tolist()
    assert anchors.tolist() == [number % per_tile for number in numbers[:2]]
    assert [len(part) for part in best_anchors(scores, np.array(numbers), per_tile, 9)] == [3, 3, 3]


def rows_of(runs: np.ndarray) -> list[int]:
    return [row for start, stop in runs.tolist() for row in range(start, stop)]


def test_a_block_is_opened_where_rounding_lets_a_tile_touch_but_not_the_box_around_its_block() -> None:
    """The box begins one unit in the last place behind the first tile, whose width is rounded up by as much."""
    west, east = np.array([-0.8158535541215322, -0.8185920542916802]), np.array([0.8574042765875693, -0.8])
    table = table_of_boxes(west, np.zeros(2), east, np.ones(2))
    region = BoxRegion(Bounds(float(np.nextafter(east[0], 1.0)), 0.0, 10.0, 1.0))
    assert region.mask(west, 0.0, east, 1.0).tolist() == [True, False]
    assert not region.mask(west.min(), 0.0, east.max(), 1.0)
    assert rows_of(ZoneMap(table).runs(region)) == [0]


def test_a_block_has_a_tenth_of_a_millimetre_to_spare_on_every_side_but_ends_with_the_world() -> None:
    table = table_of_boxes([8.0, 9.0], [47.0, 46.0], [8.5, 9.5], [47.5, 46.5])
    edges = [float(edge[0]) for edge in ZoneMap(table)._blocks]
    assert edges == pytest.approx([8.0 - 1e-9, 46.0 - 1e-9, 9.5 + 1e-9, 47.5 + 1e-9], rel=0, abs=1e-12)
    world = table_of_boxes([-180.0, 0.0], [-90.0, 0.0], [0.0, 180.0], [0.0, 90.0])
    assert [float(edge[0]) for edge in ZoneMap(world)._blocks] == [-180.0, -90.0, 180.0, 90.0]


@pytest.mark.parametrize("lon", [179.95, -179.95])
def test_a_tile_across_the_antimeridian_is_found_from_either_side(lon: float) -> None:
    table = table_of_boxes([10.0, 179.9], [0.0, 0.0], [10.1, -179.9], [0.1, 0.1])
    zones = ZoneMap(table)
    assert rows_of(zones.runs(CircleRegion(LatLon(0.05, lon), 10.0))) == [1]
    assert rows_of(zones.runs(BoxRegion(Bounds(lon - 0.01, 0.0, lon + 0.01, 0.1)))) == [1]
    alone = ZoneMap(table.take(np.array([1])))
    assert rows_of(alone.runs(CircleRegion(LatLon(0.05, lon), 10.0))) == [0]


def test_a_tile_without_extent_does_not_open_its_block_to_all_longitudes() -> None:
    zones = ZoneMap(table_of_boxes([8.0, 9.0], [47.0, 47.0], [8.0, 9.0], [47.0, 47.0]))
    assert [float(edge[0]) for edge in zones._blocks[::2]] == pytest.approx([8.0, 9.0])


@pytest.mark.parametrize("region", [None, REGIONS[1], CircleRegion(LatLon(89.0, 10.0), 0.001)])
def test_runs_are_pairs_of_whole_numbers_even_where_there_are_none(region: Region | None) -> None:
    runs = ZoneMap(TABLE.take(np.arange(100))).runs(region)
    assert (runs.shape[1], runs.dtype) == (2, np.int64)


def test_anchors_are_whole_numbers() -> None:
    for per_tile in (1, 4):
        assert best_anchors(np.ones(3, np.float32), np.arange(3), per_tile, 2)[2].dtype == np.int64


def test_answers_of_segments_are_one_answer_best_first_and_of_equal_scores_the_lower_row() -> None:
    def part(rows: list[int], scores: list[float], anchors: list[int], *, exact: bool, scanned: int) -> SearchResult:
        return SearchResult(
            np.array(rows), np.array(scores, np.float32), np.array(anchors), exact=exact, scanned=scanned
        )

    one = part([4, 0], [0.9, 0.5], [1, 2], exact=True, scanned=5)
    other = part([2, 1], [0.9, 0.75], [3, 4], exact=False, scanned=7)
    found = joined_results([one, other], [0, 10], 3)
    assert found.rows.tolist() == [4, 12, 11]
    assert found.scores.tolist() == pytest.approx([0.9, 0.9, 0.75])
    assert found.anchors.tolist() == [1, 3, 4]
    assert (found.exact, found.scanned) == (False, 12)
    assert joined_results([one], [10], 3) is one  # the only one begins at row 0


def test_nothing_found_is_empty_and_of_the_types_of_an_answer() -> None:
    nothing = nothing_found()
    assert [len(nothing.rows), len(nothing.scores), len(nothing.anchors)] == [0, 0, 0]
    assert [nothing.rows.dtype, nothing.scores.dtype, nothing.anchors.dtype] == [np.int64, np.float32, np.int64]
    assert (nothing.exact, nothing.scanned) == (True, 0)


def test_rows_that_were_removed_are_in_no_run() -> None:
    tiles = table_of_boxes(np.zeros(5), np.zeros(5), np.ones(5), np.ones(5))
    removed = np.array([False, True, False, False, True])
    everywhere = BoxRegion(Bounds(-10.0, -10.0, 10.0, 10.0))
    for region in (None, everywhere):
        assert ZoneMap(tiles, removed).runs(region).tolist() == [[0, 1], [2, 4]]
        assert ZoneMap(tiles).runs(region).tolist() == [[0, 5]]
