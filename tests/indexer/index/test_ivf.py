"""Inverted lists of coarse codes: written, opened, and what they propose."""

import errno
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadRecipe, IndexDamaged
from indexer.index.ivf import (
    Codes,
    codes_within,
    lists_for,
    load_approximate,
    propose_rows,
    selector,
    size_of_lists,
    write_approximate,
)
from indexer.index.manifest import SearchRecipe
from tests.indexer.index.test_exact_search import unit

RECIPE = SearchRecipe(kind="ivf", lists=16, probes=8, candidates=8)
FINE = Codes("PQ16x4fs", 8)
_TABLES_BYTES, _LIST_BYTES = 128, 32
"""What else FAISS writes: its codebooks for each number of a vector, and the lengths of the lists."""


def test_lists_grow_with_the_square_root() -> None:
    assert [lists_for(count) for count in (1, 9, 10_000, 1_000_000)] == [1, 9, 400, 4_000]


def test_the_finest_codes_that_fit_are_taken() -> None:
    assert codes_within(100_000, 512, None) == Codes("PQ256x4fs", 128)
    assert codes_within(100_000, 512, 25_000_000) == Codes("PQ256x4fs", 128)
    assert codes_within(100_000, 512, 15_000_000) == Codes("PQ128x4fs", 64)
    assert codes_within(100_000, 512, 10_000_000) == Codes("PQ64x4fs", 32)
    with pytest.raises(BadRecipe, match=r"take 7,845,600 bytes, --memory allows 1,000,000; allow more"):
        codes_within(100_000, 512, 1_000_000)


def test_few_vectors_and_odd_lengths_have_codes_that_need_no_products() -> None:
    assert codes_within(15, 512, None) == codes_within(15, 512, 1_000_000) == Codes("SQ8", 512)
    assert codes_within(10_000, 511, None) == Codes("SQ8", 511)
    assert codes_within(10_000, 6, None) == Codes("PQ3x4fs", 2)


@pytest.mark.parametrize(("count", "dim"), [(40, 8), (3_000, 32), (20_000, 64), (3_000, 6)])
def test_the_forecast_of_the_lists_is_no_less_than_their_file(tmp_path: Path, count: int, dim: int) -> None:
    vectors = np.random.default_rng(1).standard_normal((count, dim)).astype(np.float16)
    write_approximate(tmp_path / "lists", vectors, lists_for(count), codes_within(count, dim, None))
    size, forecast = (tmp_path / "lists").stat().st_size, size_of_lists(count, dim, None)
    assert size <= forecast + _TABLES_BYTES * dim + _LIST_BYTES * lists_for(count)
    assert forecast <= 2 * size


@pytest.mark.parametrize("codes", [FINE, Codes("PQ16x4fs", 8), Codes("PQ16x8np", 16), Codes("SQfp16", 64)])
def test_proposals_hold_the_nearest_row(tmp_path: Path, codes: Codes) -> None:
    vectors = unit(2_000).astype(np.float16)
    write_approximate(tmp_path / "search.faiss", vectors, 16, codes)
    index = load_approximate(tmp_path / "search.faiss", RECIPE, count=2_000, dim=32)
    queries = vectors[[5, 1_999]].astype(np.float32)
    proposed = propose_rows(index, queries, RECIPE, top_k=3)
    assert 5 in proposed[0]
    assert 1_999 in proposed[1]
    kept = np.ones(2_000, np.bool_)
    kept[5] = False
    proposed = propose_rows(index, queries, RECIPE, top_k=3, kept=selector(kept))
    assert 5 not in proposed[0]
    assert 1_999 in proposed[1]


def test_equal_vectors_give_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_approximate(tmp_path / name, unit(500).astype(np.float16), 16, FINE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_full_disk_is_named_as_such() -> None:
    with pytest.raises(OSError, match="space") as caught:
        write_approximate(Path("/dev/full"), unit(2_000).astype(np.float16), 16, FINE)
    assert caught.value.errno == errno.ENOSPC


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_approximate(tmp_path / "a", unit(500).astype(np.float16), 16, FINE)
    with pytest.raises(IndexDamaged, match="holds 500 x 32"):
        load_approximate(tmp_path / "a", RECIPE, count=501, dim=32)
    (tmp_path / "b").write_bytes(b"nonsense")
    with pytest.raises(IndexDamaged, match="cannot be read by FAISS"):
        load_approximate(tmp_path / "b", RECIPE, count=500, dim=32)
