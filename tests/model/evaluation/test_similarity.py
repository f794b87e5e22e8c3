import numpy as np
import pytest

from model.evaluation import similarity
from model.evaluation.similarity import best_over_copies, queries_at_once

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("references", [np.float32, np.float16])
@pytest.mark.parametrize("piece_bytes", [1, 4 * 21 * 7, 16 << 20])
def test_the_best_over_copies_is_that_of_the_whole_product(monkeypatch, references, piece_bytes):
    monkeypatch.setattr(similarity, "_PIECE_BYTES", piece_bytes)
    vectors = RANDOM.normal(size=(7, 3, 16)).astype(np.float32)
    gallery = RANDOM.normal(size=(50, 16)).astype(references)
    whole = np.einsum("bcd,rd->bcr", vectors, gallery.astype(np.float32))
    scores, peaks = best_over_copies(vectors, gallery)
    np.testing.assert_allclose(scores, whole.max(axis=1), atol=1e-5)
    np.testing.assert_allclose(peaks, whole.max(axis=2), atol=1e-5)


def test_a_reference_scores_as_its_best_anchor():
    vectors = RANDOM.normal(size=(5, 2, 8)).astype(np.float32)
    gallery = RANDOM.normal(size=(30, 4, 8)).astype(np.float32)
    whole = np.einsum("bcd,rad->bcra", vectors, gallery).max(axis=3)
    scores, peaks = best_over_copies(vectors, gallery.reshape(30, -1))
    np.testing.assert_allclose(scores, whole.max(axis=1), atol=1e-5)
    np.testing.assert_allclose(peaks, whole.max(axis=2), atol=1e-5)


def test_what_is_not_a_number_stays_so_and_is_no_peak():
    vectors = np.array([[[np.nan, 0], [1, 0]]], np.float32)
    scores, peaks = best_over_copies(vectors, np.eye(2, dtype=np.float32))
    assert np.isnan(scores).all()
    assert peaks.argmax(axis=1).tolist() == [1]


def test_a_block_of_queries_is_bounded_and_never_empty():
    assert queries_at_once(92_802) == 180
    assert queries_at_once(10**9) == 1
