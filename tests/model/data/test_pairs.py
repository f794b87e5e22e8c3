from pathlib import Path

import numpy as np
import pytest

from model.common.errors import BadDataset
from model.data.pairs import PairSet, Query, Reference


def pair_set(positives=(0, 1), semi_positives=(), **more):
    queries = tuple(Query(Path(f"pano{number}")) for number in range(2))
    tiles = tuple(Reference(Path(f"tile{number}")) for number in range(3))
    return PairSet("mine", queries, tiles, np.array(positives, np.int64), semi_positives, **more)


def test_semi_positives_are_other_rows_of_the_gallery():
    assert pair_set(semi_positives=((2, 1), ())).semi_positives[0] == (2, 1)


def test_a_query_has_its_positive_and_perhaps_more():
    assert [rows.tolist() for rows in pair_set().positive_rows()] == [[0], [1]]
    several = pair_set(more_positives=((2, 1), ()))
    assert [rows.tolist() for rows in several.positive_rows()] == [[0, 2, 1], [1]]
    assert all(rows.dtype == np.int64 for rows in several.positive_rows())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"positives": (0, 3)}, "names the reference 3 of 3"),
        ({"positives": (0,)}, "2 queries but 1 positives"),
        ({"semi_positives": ((1,),)}, "2 queries but semi-positives for 1"),
        ({"semi_positives": ((0,), ())}, r"query 0 with the positive 0 has the semi-positives \(0,\)"),
        ({"more_positives": ((1,),)}, "2 queries but more positives for 1"),
        ({"more_positives": ((0,), ())}, r"query 0 with the positive 0 has the more positives \(0,\)"),
        ({"more_positives": ((), (-1,))}, r"query 1 with the positive 1 has the more positives \(-1,\)"),
        (
            {"more_positives": ((1,), ()), "semi_positives": ((2, 1), ())},
            r"query 0 with the positive 0 has the semi-positives \(2, 1\)",
        ),
        ({"query_xy_m": np.zeros((3, 2))}, r"plane coordinates of the shape \(3, 2\) for 2 pictures"),
        ({"reference_xy_m": np.zeros((2, 2))}, r"plane coordinates of the shape \(2, 2\) for 3 pictures"),
        ({"semi_positives": ((), (3,))}, r"query 1 with the positive 1 has the semi-positives \(3,\)"),
    ],
)
def test_rows_that_cannot_be_are_refused(change, reason):
    with pytest.raises(BadDataset, match=reason):
        pair_set(**change)
