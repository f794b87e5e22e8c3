"""The 90,618 real tile positions of VIGOR through the index folder, with generated vectors."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.index.search_spec import SearchSpec
from indexer.index.segment_writer import MadeBy, finish_segment
from indexer.index.tile_index import TileIndex
from indexer.tiles.region import BoxRegion, CircleRegion, Region
from indexer.tiles.tile_table import TileTable, texts
from model.common.geo import Bounds, LatLon, great_circle_many_m
from tests.fakes import FakeEncoder

STEP_LAT = 0.000328072
STEP_LON = {"NewYork": 0.000433, "Chicago": 0.000441, "SanFrancisco": 0.000415, "Seattle": 0.000486}
NAME = re.compile(r"satellite_(-?[\d.]+)_(-?[\d.]+)\.png")
DIM = FakeEncoder().dim


def positions(folder: Path) -> TileTable:
    """Every tile; neighbours overlap by half, so a footprint is two grid steps wide."""
    names, places, widths = [], [], []
    for city, step in STEP_LON.items():
        for name in (folder / f"{city}.txt").read_text().split():
            match = NAME.fullmatch(name)
            assert match is not None, name
            names.append(f"{city}/{name}")
            places.append((float(match[1]), float(match[2])))
            widths.append(step)
    lat, lon = np.array(places).T
    across = np.array(widths)
    off_grid, zeros = np.full(len(lat), -1, np.int64), np.zeros(len(lat), np.int64)
    column = texts(names)
    edges = (lon - across, lat - STEP_LAT, lon + across, lat + STEP_LAT)
    return TileTable(column, off_grid, off_grid, off_grid, lat, lon, *edges, column, zeros, zeros)


def vectors_of(count: int) -> NDArray[np.float16]:
    vectors = np.random.default_rng(1).standard_normal((count, DIM), dtype=np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module")
def index(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> TileIndex:
    table = positions(shared_data / "vigor_tiles")
    table = table.take(np.argsort(table.curve_keys, kind="stable"))
    folder = tmp_path_factory.mktemp("vigor") / "index"
    folder.mkdir()
    np.save(folder / "embeddings.npy", vectors_of(len(table)))
    source: dict[str, object] = {"kind": "list", "path": "none.csv"}
    made_by, search = MadeBy.of(FakeEncoder()), SearchSpec(latency_ms=1e9)
    finish_segment(folder, table, made_by, search=search, source=source, counts={"listed": len(table)})
    return TileIndex.open(folder, verify=True)


def test_all_positions_are_there(index: TileIndex) -> None:
    assert index.count == 90_618
    assert index.manifest.tile_size_m == pytest.approx((73, 73), abs=2)


def test_rows_keep_to_the_neighbourhood(index: TileIndex) -> None:
    tiles = index.tiles
    steps_m = great_circle_many_m(tiles.lat[:-1], tiles.lon[:-1], tiles.lat[1:], tiles.lon[1:])
    assert np.median(steps_m) < 40
    assert (steps_m > 1_000_000).sum() == len(STEP_LON) - 1


def random_regions(index: TileIndex, count: int) -> list[Region]:
    """Half boxes, half circles, from a single tile to a continent, around random tiles."""
    rng = np.random.default_rng(2)
    regions: list[Region] = []
    for row in rng.integers(0, index.count, count).tolist():
        centre, size_m = index.tile(row).bounds.centre, float(10 ** rng.uniform(0, 6.3))
        if len(regions) % 2:
            regions.append(CircleRegion(centre, size_m))
        else:
            high, wide = size_m / 111_195, size_m / 80_000 * rng.uniform(0.2, 2)
            west, east = max(-180.0, centre.lon - wide), min(180.0, centre.lon + wide)
            regions.append(BoxRegion(Bounds(west, max(-90.0, centre.lat - high), east, min(90.0, centre.lat + high))))
    return regions


def touched(index: TileIndex, region: Region) -> NDArray[np.bool_]:
    """Brute force over every tile, by formulas of its own."""
    tiles = index.tiles
    if isinstance(region, BoxRegion):
        west, south, east, north = region.bounds.as_tuple()
        return (tiles.west <= east) & (tiles.east >= west) & (tiles.south <= north) & (tiles.north >= south)
    near_lat = np.clip(region.centre.lat, tiles.south, tiles.north)
    near_lon = np.clip(region.centre.lon, tiles.west, tiles.east)  # right to a micrometre for tiles this small
    return great_circle_many_m(region.centre.lat, region.centre.lon, near_lat, near_lon) <= region.radius_m


def test_a_thousand_random_regions_equal_brute_force(index: TileIndex) -> None:
    exact = index.segments[0].vectors.astype(np.float32)
    queries = vectors_of(1_000)[::-1].astype(np.float32) + 0.1
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    sizes = []
    for query, region in zip(queries, random_regions(index, 1_000), strict=True):
        (result,) = index.search(query[None], top_k=10, region=region)
        rows = np.flatnonzero(touched(index, region))
        sizes.append(len(rows))
        assert result.exact
        assert result.scanned == len(rows)
        scores = exact[rows] @ query
        best = np.sort(scores)[::-1][:10]
        assert np.allclose(result.scores, best, atol=1e-6)
        assert set(result.rows.tolist()) <= set(rows[scores >= best[-1] - 1e-6].tolist())
        assert all(a >= b for a, b in pairwise(result.scores.tolist()))
    assert min(sizes) < 20
    assert max(sizes) > 20_000


def test_places_on_the_other_side_of_the_earth_leave_nothing(index: TileIndex) -> None:
    for region in (
        BoxRegion(Bounds(179.0, -10.0, -179.0, 10.0)),
        CircleRegion(LatLon(90.0, 0.0), 1_000_000.0),
        CircleRegion(LatLon(-40.0, 100.0), 100_000.0),
    ):
        assert index.search(vectors_of(1).astype(np.float32), top_k=5, region=region)[0].rows.tolist() == []
