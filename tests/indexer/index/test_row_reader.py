"""Rows of a file, read one by one."""

from pathlib import Path

import numpy as np
import pytest

from indexer.building.build import build_index
from indexer.building.plan import BuildSpec
from indexer.common.errors import IndexDamaged
from indexer.index import segment
from indexer.index.row_reader import RowReader
from indexer.index.search_spec import SearchSpec
from indexer.index.tile_index import TileIndex
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.tiny import make_tiles, vector_of

MATRIX = np.arange(40 * 6, dtype=np.float16).reshape(40, 6)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.save(tmp_path / "rows.npy", MATRIX)
    return tmp_path / "rows.npy"


def reader_of(path: Path) -> RowReader:
    return RowReader(path, int(np.load(path, mmap_mode="r").offset), 6)


@pytest.mark.parametrize("rows", [[], [0], [39], [0, 1, 2], [3, 5, 6, 7, 20, 39], list(range(40))])
def test_rows_are_those_of_the_matrix(path: Path, rows: list[int]) -> None:
    numbers = np.array(rows, np.int64)
    found = reader_of(path)[numbers]
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, MATRIX[numbers])


def test_the_file_that_was_opened_is_read_whatever_its_path_names_now(path: Path) -> None:
    reader = reader_of(path)
    path.rename(path.with_name("old.npy"))
    np.save(path, MATRIX + 1)
    np.testing.assert_array_equal(reader[np.array([7])], MATRIX[[7]])


def test_a_file_that_ends_early_is_damaged(path: Path) -> None:
    reader = reader_of(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 5)
    np.testing.assert_array_equal(reader[np.array([38])], MATRIX[[38]])
    with pytest.raises(IndexDamaged, match="within its vectors; restore or rebuild"):
        reader[np.array([38, 39])]


def test_large_vectors_are_read_row_by_row_and_answer_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 8, 8))
    build_index(source, FakeEncoder(), tmp_path / "index", spec=BuildSpec(search=SearchSpec(latency_ms=0)))
    answers = []
    for most in (1 << 30, 0):
        monkeypatch.setattr(segment, "_MAPPED_BYTES", most)
        index = TileIndex.open(tmp_path / "index")
        answers.append(index.search(vector_of(9), top_k=5)[0])
        assert isinstance(index.segments[0]._proposed, RowReader) == (most == 0)
        index.close()
    np.testing.assert_array_equal(answers[0].rows, answers[1].rows)
    np.testing.assert_array_equal(answers[0].scores, answers[1].scores)
    assert not answers[1].exact
