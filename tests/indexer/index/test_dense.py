import numpy as np
import pytest

from indexer.common.errors import TooManyTiles
from indexer.index.dense import score_all


def unit(rows: int, columns: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_every_anchor_has_the_score_of_the_query_that_suits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, queries = unit(40 * 3, 8, 0).astype(np.float16).reshape(40, 24), unit(5, 8, 1)
    runs = np.array([[2, 9], [10, 11], [20, 40]])
    rows = [*range(2, 9), 10, *range(20, 40)]
    expected = vectors[rows].astype(np.float32).reshape(-1, 3, 8) @ queries.T
    for block_bytes in (1, 400, 1 << 20):
        monkeypatch.setattr("indexer.index.dense._BLOCK_BYTES", block_bytes)
        found = score_all(vectors, queries, runs)
        assert found.rows.tolist() == rows
        np.testing.assert_allclose(found.scores, expected.max(axis=2), atol=1e-6)
        assert found.peaks == pytest.approx(expected.max(axis=(0, 1)), abs=1e-5)


def test_nothing_is_no_row() -> None:
    found = score_all(unit(4, 8, 0).astype(np.float16), unit(1, 8, 1), np.empty((0, 2), np.int64))
    assert (len(found.rows), found.scores.shape, found.peaks.max()) == (0, (0, 1), -np.inf)


def test_more_than_memory_is_meant_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.index.dense.MOST_VECTORS", 7)
    vectors = unit(8, 4, 0).astype(np.float16).reshape(4, 8)
    with pytest.raises(
        TooManyTiles, match=r"the area holds 4 tiles with 2 vectors each.* at most 7 vectors: search a smaller"
    ):
        score_all(vectors, unit(1, 4, 1), np.array([[0, 4]]))
    assert len(score_all(vectors, unit(1, 4, 1), np.array([[0, 3]])).rows) == 3
