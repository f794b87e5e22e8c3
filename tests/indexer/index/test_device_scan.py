"""A scan from a device's memory answers as the one in place does. The device is the processor here, by torch."""

import numpy as np
import pytest

from indexer.common.errors import BadRecipe
from indexer.index import device_scan
from indexer.index.exact_search import ExactScan
from indexer.index.tile_index import TileIndex
from indexer.index.tile_search import best_tiles
from indexer.tiles.region import BoxRegion
from model.common.errors import BadConfig
from model.common.geo import Bounds
from tests.indexer.index.test_exact_search import unit
from tests.indexer.tiny import build_tiny, vector_of

pytest.importorskip("torch", reason="no torch: pip install 'clnet-geolocalization[train]'")
RUNS = [[(0, 5_000)], [(0, 5)], [(3, 4), (10, 900), (2_000, 3_100), (4_999, 5_000)], []]


@pytest.fixture
def small(monkeypatch):
    """Blocks of 300 rows, and scores of two queries at once."""
    monkeypatch.setattr(device_scan, "_BLOCK_BYTES", 300 * 32 * 4)
    monkeypatch.setattr(device_scan, "_SCORES_BYTES", 2 * 5_000 * 4)


def same(vectors, queries, runs, top_k):
    scan, plain = device_scan.DeviceScan(vectors, "cpu"), ExactScan(vectors)
    rows = np.array(runs, np.int64).reshape(-1, 2)
    both = [one.search(queries, rows, top_k=top_k) for one in (scan, plain)]
    for (scores, found), (right_scores, right) in zip(*both, strict=True):
        assert np.array_equal(found, right)
        assert np.array_equal(scores, right_scores)
    scan.close()
    return both[0]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("runs", RUNS)
def test_answers_are_those_of_the_scan_in_place(runs):
    found = same(unit(5_000).astype(np.float16), unit(5, seed=1), runs, 10)
    assert len(found) == 5


def test_equal_vectors_are_all_seen():
    vectors = unit(3_000).astype(np.float16)
    vectors[100:2_900] = unit(1, seed=7)[0].astype(np.float16)
    ((_, rows),) = same(vectors, unit(1, seed=7), [(0, 3_000)], 4)
    assert rows.tolist() == [100, 101, 102, 103]


def test_a_row_that_is_no_number_is_never_an_answer():
    vectors = unit(500).astype(np.float16)
    vectors[[3, 400]] = np.nan
    same(vectors, unit(2, seed=1), [(0, 500)], 480)


def test_tiles_of_several_vectors_are_reduced_as_in_place():
    vectors, queries = unit(4_000).astype(np.float16), unit(3, seed=2)
    scans = device_scan.DeviceScan(vectors, "cpu"), ExactScan(vectors)
    found = [best_tiles(scan, queries, np.array([[0, 4_000]]), per_tile=8, top_k=5) for scan in scans]
    for (_, rows), (_, right) in zip(*found, strict=True):
        tiles = [list(dict.fromkeys((one // 8).tolist()))[:5] for one in (rows, right)]
        assert tiles[0] == tiles[1]


def test_an_index_is_searched_on_a_device_exactly_with_areas_and_removed_rows(tmp_path):
    build_tiny(tmp_path).close()
    plain, other = TileIndex.open(tmp_path / "index"), TileIndex.open(tmp_path / "index", scan_on="cpu")
    left = plain.manifest.bounds
    box = BoxRegion(Bounds(left.west, left.south, (left.west + left.east) / 2, left.north))
    for region in (None, box):
        one, two = (each.search(vector_of(5), top_k=4, region=region)[0] for each in (plain, other))
        assert one.rows.tolist() == two.rows.tolist()
        assert (two.exact, one.scanned) == (True, two.scanned)
    other.close()
    plain.close()


def test_a_device_that_is_not_there_or_too_small_is_refused(tmp_path, monkeypatch):
    build_tiny(tmp_path).close()
    with pytest.raises(BadConfig, match="cuda:77"):
        TileIndex.open(tmp_path / "index", scan_on="cuda:77")
    scan = device_scan.DeviceScan(unit(10).astype(np.float16), "cpu")
    import torch

    monkeypatch.setattr(scan, "_device", torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1_000_000, 2_000_000))
    with pytest.raises(BadRecipe, match=r"take 1\.6 GB on cuda, of which 0\.0 GB are free"):
        scan._require_room()
    scan.close()
