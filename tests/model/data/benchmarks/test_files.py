import numpy as np
import pytest

from model.common.errors import BadDataset
from model.data.benchmarks.benchmark import Listing
from model.data.benchmarks.files import find_pictures, without_missing
from model.data.pairs import PairSet, Query, Reference


@pytest.fixture
def pairs(tmp_path) -> PairSet:
    """Four queries of tiles 0, 1, 1 and 3 of five; all pictures are there."""
    for name in ("ground", "tiles"):
        (tmp_path / name).mkdir()
    queries = tuple(Query(tmp_path / "ground" / f"q{number},.jpg") for number in range(4))
    tiles = tuple(Reference(tmp_path / "tiles" / f"t{number}.png") for number in range(5))
    for item in (*queries, *tiles):
        item.path.write_bytes(b"x")
    plane = np.arange(10.0).reshape(5, 2)
    return PairSet(
        "mine", queries, tiles, np.array([0, 1, 1, 3]), ((1,), (0, 4), (), (1, 2)),
        query_xy_m=plane[:4], reference_xy_m=plane,
    )  # fmt: skip


def left(pairs, *, paired=False):
    return without_missing(Listing(pairs), find_pictures(pairs), paired=paired)


def test_all_there_is_nothing_missing(pairs):
    presence = find_pictures(pairs)
    assert (presence.missing, presence.misnamed, presence.named) == ((), (), 9)
    assert presence.queries.all()
    assert presence.references.all()


def test_absent_and_empty_files_are_missing(pairs):
    pairs.queries[2].path.unlink()
    pairs.references[4].path.write_bytes(b"")
    presence = find_pictures(pairs)
    assert presence.missing == (pairs.queries[2].path, pairs.references[4].path)
    assert presence.queries.tolist() == [True, True, False, True]
    assert presence.references.tolist() == [True, True, True, True, False]


def test_a_folder_that_is_not_there_is_no_error(pairs, tmp_path):
    (tmp_path / "ground").rename(tmp_path / "away")
    assert len(find_pictures(pairs).missing) == 4


@pytest.mark.parametrize(
    ("path", "name"), [("ground/q0,.jpg", "q0.jpg"), ("tiles/t0.png", "t0.jpg"), ("ground/q0,.jpg", "q0,.JPG")]
)
def test_a_tidied_name_is_recognised(pairs, tmp_path, path, name):
    wanted = tmp_path / path
    wanted.rename(wanted.with_name(name))
    assert find_pictures(pairs).misnamed == ((wanted, wanted.with_name(name)),)


def test_rows_follow_what_is_left(pairs):
    pairs.references[1].path.unlink()
    pairs.queries[0].path.unlink()
    rest = left(pairs)
    assert rest.queries == (pairs.queries[3],)  # query 0 is gone, 1 and 2 have lost their tile
    assert [tile.path.name for tile in rest.references] == ["t0.png", "t2.png", "t3.png", "t4.png"]
    assert (rest.positives.tolist(), rest.semi_positives) == ([2], ((1,),))
    assert rest.query_xy_m.tolist() == [[6.0, 7.0]]
    assert rest.reference_xy_m[:, 0].tolist() == [0.0, 4.0, 6.0, 8.0]
    assert rest.name == "mine, without 3 of 4 queries and 1 of 5 references that are missing"


def test_in_paired_data_a_tile_leaves_with_its_last_query(pairs):
    pairs.queries[0].path.unlink()
    pairs.queries[1].path.unlink()
    rest = left(pairs, paired=True)
    assert [tile.path.name for tile in rest.references] == ["t1.png", "t3.png"]
    assert rest.positives.tolist() == [0, 1]


def test_one_positive_of_several_goes_alone(pairs):
    several = PairSet("s", pairs.queries[:2], pairs.references, np.array([0, 2]), (), ((1,), (3, 4)))
    several.references[0].path.unlink()
    several.references[3].path.unlink()
    rest = left(several)
    assert [rows.tolist() for rows in rest.positive_rows()] == [[0], [1, 2]]


def test_nothing_left_is_an_error(pairs, tmp_path):
    for path in (tmp_path / "ground").iterdir():
        path.unlink()
    with pytest.raises(BadDataset, match="mine: not one pair has both of its pictures"):
        left(pairs)
