from pathlib import Path

import numpy as np
import pytest

from model.common.errors import BadDataset
from model.data.joined import join_pairs
from model.data.pairs import PairSet, Query, Reference


def pairs(name, count, **more):
    queries = tuple(Query(Path(f"{name}-q{n}")) for n in range(count))
    references = tuple(Reference(Path(f"{name}-r{n}")) for n in range(count + 1))
    return PairSet(name, queries, references, np.arange(count)[::-1].astype(np.int64), **more)


def test_each_query_keeps_its_tile_and_its_semi_positives():
    joined = join_pairs([pairs("a", 2), pairs("b", 3, semi_positives=((3,), (), (1, 3)))])
    assert joined.name == "a + b"
    assert [str(joined.references[row].path) for row in joined.positives] == ["a-r1", "a-r0", "b-r2", "b-r1", "b-r0"]
    named = [[str(joined.references[row].path) for row in rows] for rows in joined.semi_positives]
    assert named == [[], [], ["b-r3"], [], ["b-r1", "b-r3"]]
    assert joined.more_positives == ()


def test_one_data_set_is_itself():
    one = pairs("a", 2)
    assert join_pairs([one]) is one


def test_none_and_the_other_direction_are_refused():
    with pytest.raises(BadDataset, match="at least one"):
        join_pairs([])
    with pytest.raises(BadDataset, match="one direction"):
        join_pairs([pairs("a", 2), pairs("b", 2, query_view="satellite", reference_view="ground")])
