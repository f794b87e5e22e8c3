import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.index import exact_search
from indexer.index.exact_search import ExactScan, rank

Runs = list[tuple[int, int]]


def unit(count: int, dim: int = 32, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force(vectors: NDArray[np.float16], query: NDArray[np.float32], runs: Runs, top_k: int) -> list[int]:
    rows = [row for start, stop in runs for row in range(start, stop)]
    scores = vectors[rows].astype(np.float64) @ query.astype(np.float64)
    return [row for _, row in sorted(zip(-scores.astype(np.float32), rows, strict=True))][:top_k]


@pytest.mark.parametrize(
    "runs",
    [
        [(0, 20_000)],
        [(0, 5)],
        [(3, 4), (10, 900), (2_000, 3_100), (19_999, 20_000)],
        [(start, start + 7) for start in range(0, 20_000, 50)],
        [],
    ],
)
@pytest.mark.parametrize("queries", [1, 5])
def test_finds_what_brute_force_finds(runs: Runs, queries: int) -> None:
    vectors, asked = unit(20_000).astype(np.float16), unit(queries, seed=1)
    found = ExactScan(vectors, threads=2).search(asked, np.array(runs, np.int64).reshape(-1, 2), top_k=10)
    for query, (scores, rows) in zip(asked, found, strict=True):
        assert rows.tolist() == brute_force(vectors, query, runs, 10)
        assert np.allclose(scores, vectors[rows].astype(np.float32) @ query, atol=1e-6)


def test_the_answer_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.index.exact_search._PIECE_BYTES", 1 << 14)
    vectors, asked, everything = unit(5_000).astype(np.float16), unit(3, seed=1), np.array([[0, 5_000]])
    one, four = (ExactScan(vectors, threads=threads).search(asked, everything, top_k=50) for threads in (1, 4))
    for (scores, rows), (other_scores, other_rows) in zip(one, four, strict=True):
        assert np.array_equal(scores, other_scores)
        assert np.array_equal(rows, other_rows)


def test_the_lowest_rows_win_when_scores_tie() -> None:
    vectors = np.repeat(unit(1), 3_000, axis=0).astype(np.float16)
    vectors[1_500] = unit(1, seed=2)[0].astype(np.float16)
    ((_, rows),) = ExactScan(vectors, threads=2).search(unit(1), np.array([[0, 3_000]]), top_k=4)
    assert rows.tolist() == [0, 1, 2, 3]
    ((_, rows),) = ExactScan(vectors, threads=2).search(unit(1), np.array([[5, 8], [1_000, 2_600]]), top_k=5)
    assert rows.tolist() == [5, 6, 7, 1_000, 1_001]


def test_a_tie_at_the_last_place_goes_to_the_lowest_row() -> None:
    vectors = unit(2_000).astype(np.float16)
    vectors[[7, 300, 1_400]] = unit(1, seed=5)[0].astype(np.float16)
    ((_, rows),) = ExactScan(vectors).search(unit(1, seed=5), np.array([[0, 2_000]]), top_k=2)
    assert rows.tolist() == [7, 300]


def test_more_results_than_rows_gives_all_rows() -> None:
    ((scores, rows),) = ExactScan(unit(10).astype(np.float16)).search(unit(1), np.array([[2, 6]]), top_k=1_000_000)
    assert sorted(rows.tolist()) == [2, 3, 4, 5]
    assert (np.diff(scores) <= 0).all()


def test_rank_removes_repeated_rows() -> None:
    vectors = unit(10).astype(np.float16)
    _, rows = rank(vectors, vectors[4].astype(np.float32), np.array([4, 2, 4]), 5)
    assert rows.tolist() == [4, 2]


def test_a_read_only_memory_map_is_searched_in_place(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("scan") / "e.npy"
    np.save(path, unit(4_000).astype(np.float16))
    vectors = np.load(path, mmap_mode="r")
    ((_, rows),) = ExactScan(vectors).search(unit(4_000)[1_234:1_235], np.array([[0, 4_000]]), top_k=1)
    assert rows.tolist() == [1_234]


def test_only_a_tie_at_the_last_place_takes_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some candidates to spare tell whether there is one; a search by range costs many times as much."""
    slow: list[float] = []
    view = exact_search._view

    class Noting:
        def __init__(self, vectors: NDArray[np.float16]) -> None:
            self.index = view(vectors)

        def search(self, queries: NDArray[np.float32], count: int) -> object:
            return self.index.search(queries, count)

        def range_search(self, queries: NDArray[np.float32], least: float) -> object:
            slow.append(least)
            return self.index.range_search(queries, least)

    monkeypatch.setattr(exact_search, "_view", Noting)
    vectors, asked, everything = unit(5_000).astype(np.float16), unit(40, seed=1), np.array([[0, 5_000]])
    ExactScan(vectors, threads=1).search(asked, everything, top_k=10)
    assert slow == []
    vectors[:30] = unit(1, seed=7)[0].astype(np.float16)
    ExactScan(vectors, threads=1).search(unit(1, seed=7), everything, top_k=10)
    assert slow == [pytest.approx(1.0, abs=1e-3)]
