import numpy as np
import pytest

from indexer.index.zones import ZoneMap
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
