from pathlib import Path

import numpy as np
import pytest

from model.data.pairs import PairSet, Query, Reference
from model.errors import BadDataset


def pair_set(positives=(0, 1), semi_positives=()):
    queries = tuple(Query(Path(f"pano{number}")) for number in range(2))
    tiles = tuple(Reference(Path(f"tile{number}")) for number in range(3))
    return PairSet("mine", queries, tiles, np.array(positives, np.int64), semi_positives)


def test_semi_positives_are_other_rows_of_the_gallery():
    assert pair_set(semi_positives=((2, 1), ())).semi_positives[0] == (2, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"positives": (0, 3)}, "names the reference 3 of 3"),
        ({"positives": (0,)}, "2 queries but 1 positives"),
        ({"semi_positives": ((1,),)}, "2 queries but semi-positives for 1"),
        ({"semi_positives": ((0,), ())}, r"query 0 with the positive 0 has the semi-positives \(0,\)"),
        ({"semi_positives": ((), (3,))}, r"query 1 with the positive 1 has the semi-positives \(3,\)"),
    ],
)
def test_rows_that_cannot_be_are_refused(change, reason):
    with pytest.raises(BadDataset, match=reason):
        pair_set(**change)
