from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import IndexDamaged
from indexer.index.ivf import load_approximate, propose_rows, recipe_for, write_approximate
from indexer.index.manifest import SearchRecipe
from tests.indexer.index.test_exact_search import unit

RECIPE = SearchRecipe(kind="ivf", lists=16, probes=8, candidates=8)


def test_small_corpora_are_scanned_and_large_ones_get_lists() -> None:
    assert recipe_for(300_000, exact_up_to=300_000).kind == "exact"
    large = recipe_for(1_000_000, exact_up_to=300_000)
    assert (large.kind, large.lists) == ("ivf", 4_000)
    assert 0 < large.probes < large.lists


def test_proposals_hold_the_nearest_row(tmp_path: Path) -> None:
    vectors = unit(2_000).astype(np.float16)
    write_approximate(tmp_path / "search.faiss", vectors, RECIPE)
    index = load_approximate(tmp_path / "search.faiss", RECIPE, count=2_000, dim=32)
    proposed = propose_rows(index, vectors[[5, 1_999]].astype(np.float32), RECIPE, top_k=3)
    assert 5 in proposed[0]
    assert 1_999 in proposed[1]


def test_equal_vectors_give_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_approximate(tmp_path / name, unit(500).astype(np.float16), RECIPE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_approximate(tmp_path / "a", unit(500).astype(np.float16), RECIPE)
    with pytest.raises(IndexDamaged, match="holds 500 x 32"):
        load_approximate(tmp_path / "a", RECIPE, count=501, dim=32)
    (tmp_path / "b").write_bytes(b"nonsense")
    with pytest.raises(IndexDamaged, match="cannot be read by FAISS"):
        load_approximate(tmp_path / "b", RECIPE, count=500, dim=32)
