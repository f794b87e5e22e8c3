"""Columns of text, whatever they are kept in."""

import numpy as np
import pyarrow as pa
import pytest

from indexer.tiles.names import GridNames, TextColumn, Texts, joined_texts, rows_of_text, texts

NAMES = ["15/1/2", "15/3/4", "15/5/6"]
COLUMNS: list[Texts] = [
    texts(NAMES),
    TextColumn(pa.chunked_array([NAMES[:2], NAMES[2:]])),
    GridNames(np.array([15, 15, 15], np.int8), np.array([1, 3, 5], np.int32), np.array([2, 4, 6])),
]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: type(column).__name__)
def test_all_kinds_of_columns_are_used_alike(column: Texts) -> None:
    assert len(column) == 3
    assert [column[row] for row in (0, 2, np.int64(1))] == [NAMES[0], NAMES[2], NAMES[1]]
    assert column[np.array([2, 0])].tolist() == [NAMES[2], NAMES[0]]
    assert column[np.array([False, True, True])].tolist() == NAMES[1:]
    assert column[np.array([], np.int64)].tolist() == []
    assert column.tolist() == NAMES
    assert joined_texts([column, column]).tolist() == NAMES * 2


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: type(column).__name__)
def test_rows_are_found_by_their_text(column: Texts) -> None:
    assert [rows_of_text(column, name).tolist() for name in NAMES] == [[0], [1], [2]]
    twice = column[np.array([2, 0, 2])]
    assert rows_of_text(twice, NAMES[2]).tolist() == [0, 2]
    for other in ("", "15/1", "15/1/2/", "015/1/2", "15/1/-2", "\u0661\u0665/1/2", "15/1/2\n", "9" * 5_000, "300/1/2"):
        assert rows_of_text(column, other).tolist() == []
    assert rows_of_text(column[np.array([], np.int64)], NAMES[0]).tolist() == []
