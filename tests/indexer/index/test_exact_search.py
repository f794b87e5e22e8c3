import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.common.errors import IndexDamaged
from indexer.common.optional import load_faiss
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


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread's portion is 2,000 rows of 32 numbers."""
    monkeypatch.setattr(exact_search, "_PIECE_BYTES", 2_000 * 32 * 2)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("threads", "runs", "expected"),
    [
        (4, [(0, 5_000)], [(0, 1_250), (1_250, 2_500), (2_500, 3_750), (3_750, 5_000)]),
        (2, [(0, 5_000)], [(0, 2_000), (2_000, 4_000), (4_000, 5_000)]),
        (4, [(10, 2_010)], [(10, 2_010)]),  # one portion is not divided
        (3, [(0, 2_002)], [(0, 668), (668, 1_336), (1_336, 2_002)]),
        (4, [(1_000, 6_000)], [(1_000, 2_250), (2_250, 3_500), (3_500, 4_750), (4_750, 6_000)]),
        (2, [(0, 1_024), (3_000, 4_500)], [(0, 1_024), (3_000, 4_500)]),
    ],
)
def test_long_runs_are_scanned_in_place_and_divided_between_the_threads(
    threads: int, runs: Runs, expected: Runs
) -> None:
    vectors = unit(6_000).astype(np.float16)
    pieces = ExactScan(vectors, threads=threads)._pieces(np.array(runs))
    assert [(first, first + len(part)) for part, first in pieces] == expected
    for part, first in pieces:
        assert np.shares_memory(part, vectors)
        assert np.array_equal(part, vectors[first : first + len(part)])


@pytest.mark.usefixtures("small_pieces")
def test_short_runs_are_gathered_into_portions() -> None:
    vectors = unit(6_000).astype(np.float16)
    runs = np.array([(0, 1_023), (1_500, 2_500), (4_000, 4_007)])
    pieces = ExactScan(vectors, threads=2)._pieces(runs)
    assert [len(part) for part, _ in pieces] == [2_000, 30]
    rows = np.concatenate([ids for _, ids in pieces])
    assert rows.tolist() == [*range(1_023), *range(1_500, 2_500), *range(4_000, 4_007)]
    assert np.array_equal(np.concatenate([part for part, _ in pieces]), vectors[rows])


def test_a_row_longer_than_a_portion_is_a_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_search, "_PIECE_BYTES", 10)
    scan = ExactScan(unit(3).astype(np.float16), threads=1)
    assert [len(part) for part, _ in scan._pieces(np.array([[0, 3]]))] == [1, 1, 1]
    ((_, rows),) = scan.search(unit(1), np.array([[0, 3]]), top_k=3)
    assert sorted(rows.tolist()) == [0, 1, 2]


def test_what_lies_within_rounding_of_the_last_place_stays_a_contender() -> None:
    scores = np.array([0.9, 0.9 - 1.5e-5, 0.9 - 3e-5, 1.0, 0.8], np.float32)
    pieces = [(scores[:2], np.array([7, 8])), (scores[2:], np.array([1, 2, 3]))]
    assert sorted(exact_search._contenders(pieces, 2).tolist()) == [2, 7, 8]
    assert sorted(exact_search._contenders(pieces, 5).tolist()) == [1, 2, 3, 7, 8]
    assert sorted(exact_search._contenders(pieces, 9).tolist()) == [1, 2, 3, 7, 8]


def test_candidates_are_a_few_more_than_asked_for_or_all_that_there_are() -> None:
    vectors, query = unit(3_000).astype(np.float16), unit(1, seed=1)
    exact = vectors.astype(np.float32) @ query[0]
    for ids, rows in ((100, np.arange(100, 3_100)), (np.arange(0, 6_000, 2), np.arange(0, 6_000, 2))):
        ((scores, found),) = exact_search._candidates(vectors, ids, query, 5)
        assert found.tolist() == rows[np.argsort(-exact, kind="stable")[:21]].tolist()
        np.testing.assert_allclose(scores, np.sort(exact)[::-1][:21], atol=1e-5)
    ((_, found),) = exact_search._candidates(vectors[:12], 0, query, 5)
    assert len(found) == 12


def test_candidates_that_tie_with_the_last_place_come_all_and_others_not() -> None:
    vectors = unit(3_000).astype(np.float16)
    vectors[1_000:1_050] = unit(1, seed=9)[0].astype(np.float16)
    ((_, found),) = exact_search._candidates(vectors, 0, unit(1, seed=9), 3)
    assert sorted(found.tolist()) == list(range(1_000, 1_050))


def test_closing_stops_the_threads() -> None:
    scan = ExactScan(unit(10).astype(np.float16), threads=2)
    scan.close()
    with pytest.raises(RuntimeError, match="after shutdown"):
        scan._pool.submit(print)


def test_by_default_there_is_a_thread_for_every_processor_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(10).astype(np.float16)
    monkeypatch.setattr(exact_search, "available_processors", lambda: 5)
    assert ExactScan(vectors)._pool._max_workers == 5
    assert ExactScan(vectors, threads=3)._pool._max_workers == 3


@pytest.mark.usefixtures("small_pieces")
def test_one_portion_is_scanned_by_the_caller_and_more_by_the_threads_of_the_scan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: set[str] = set()
    view = exact_search._view

    def note(vectors: NDArray[np.float16]) -> object:
        seen.add(threading.current_thread().name.rpartition("_")[0])
        return view(vectors)

    monkeypatch.setattr(exact_search, "_view", note)
    scan = ExactScan(unit(4_000).astype(np.float16), threads=2)
    for stop, expected in ((2_000, {""}), (4_000, {"scan"})):  # MainThread has no number
        seen.clear()
        scan.search(unit(1), np.array([[0, stop]]), top_k=1)
        assert seen == expected


def test_faiss_itself_uses_one_thread_of_the_caller() -> None:
    faiss = load_faiss()
    faiss.omp_set_num_threads(2)
    ExactScan(unit(10).astype(np.float16)).search(unit(1), np.array([[0, 10]]), top_k=1)
    assert faiss.omp_get_max_threads() == 1


def test_scores_are_float32() -> None:
    ((scores, rows),) = ExactScan(unit(10).astype(np.float16)).search(unit(1), np.array([[0, 10]]), top_k=4)
    assert (scores.dtype, rows.dtype) == (np.float32, np.int64)


def test_ties_behind_better_rows_come_all_and_only_to_their_own_query() -> None:
    vectors, (a, b) = unit(3_000).astype(np.float16), unit(2, seed=9)
    vectors[1_000:1_050], vectors[2_000:2_050] = (0.9 * a).astype(np.float16), b.astype(np.float16)
    vectors[[5, 6]] = a.astype(np.float16)
    found = exact_search._candidates(vectors, 0, np.stack([a, b]), 3)
    expected = [{5, 6, *range(1_000, 1_050)}, set(range(2_000, 2_050))]
    for (_, rows), own in zip(found, expected, strict=True):
        assert own <= set(rows.tolist())
    assert not expected[1] & set(found[0][1].tolist())


@pytest.mark.parametrize("length", [0.5, 1.0, 40.0])
def test_what_scores_more_than_the_query_is_long_is_no_unit_vector_and_is_named(length: float) -> None:
    vectors, query = unit(30).astype(np.float16), unit(1, seed=4)[0] * length
    vectors[20] = 1.005 * unit(1, seed=4)[0]  # as long as float16 lets a unit vector be, and some more
    scores, rows = rank(vectors, query, np.arange(30), 3)
    assert (rows[0], scores[0]) == (20, pytest.approx(length))
    for wrong, told in ((1.02 * unit(1, seed=4)[0], f"{1.02 * length:.3g}"), (np.full(32, np.nan), "nan")):
        vectors[20] = wrong
        with pytest.raises(
            IndexDamaged, match=rf"^vector 20 of the index scores {told}.*; restore embeddings\.npy or re"
        ):
            rank(vectors, query, np.arange(10, 30), 3)
    vectors[20] = -1.005 * unit(1, seed=4)[0]
    scores, rows = rank(vectors, query, np.arange(30), 30)
    assert (rows[-1], scores[-1]) == (20, pytest.approx(-length))


def test_rows_that_are_no_numbers_are_left_out_of_the_candidates() -> None:
    vectors = np.full((40, 32), np.nan, np.float16)
    vectors[7] = unit(1)[0].astype(np.float16)
    ((scores, rows),) = exact_search._candidates(vectors, 100, unit(1), 5)
    assert (rows.tolist(), scores.tolist()) == ([107], [pytest.approx(1.0, abs=1e-3)])
    ((_, rows),) = exact_search._candidates(vectors[:8], 0, unit(1), 5)
    assert rows.tolist() == [7]
