import numpy as np
import pytest

from model.data.manifest import read_manifest
from model.data.pairs import PairSet, Query, Reference
from model.data.replay import JoinedPictures, join_draws
from model.data.samplers import Order, epoch_batches
from tests.model.tiny import write_pairs


class Numbered:
    """Pictures that say which they are."""

    def __init__(self, first: int) -> None:
        self.first = first

    def query(self, row: int) -> np.ndarray:
        return np.full((1, 1, 3), self.first + row, np.uint8)

    def reference(self, row: int) -> np.ndarray:
        return np.full((1, 1, 3), self.first + 100 + row, np.uint8)


def pairs_of(tmp_path, name: str, count: int) -> PairSet:
    queries = tuple(Query(tmp_path / f"{name}{row}.jpg") for row in range(count))
    tiles = tuple(Reference(tmp_path / f"{name}t{row}.jpg") for row in range(count + 1))
    return PairSet(name, queries, tiles, np.arange(count)[::-1].astype(np.int64))


def test_pictures_come_from_the_set_that_has_them():
    pictures = JoinedPictures(Numbered(0), Numbered(50), 4, 5)
    assert [int(pictures.query(row).max()) for row in (0, 3, 4, 6)] == [0, 3, 50, 52]
    assert [int(pictures.reference(row).max()) for row in (4, 5)] == [104, 150]


def test_draws_keep_their_epoch_and_their_pair(tmp_path):
    a, b = read_manifest(write_pairs(tmp_path, 8)), pairs_of(tmp_path, "b", 5)
    ours = list(epoch_batches(a, Order(), batch=3, last=6, seed=0))
    theirs = list(epoch_batches(b, Order(), batch=2, last=6, seed=1))
    joined = list(join_draws(iter(ours), iter(theirs), 8, 5))
    for batch, own, other in zip(joined, ours, theirs, strict=True):
        assert [(draw // 13, draw % 13) for draw in batch[:3]] == [(draw // 8, draw % 8) for draw in own]
        assert [(draw // 13, draw % 13 - 8) for draw in batch[3:]] == [(draw // 5, draw % 5) for draw in other]


def test_batches_from_a_step_on_are_those_of_the_whole_run(tmp_path):
    a, b = pairs_of(tmp_path, "a", 8), pairs_of(tmp_path, "b", 5)

    def draws(first: int) -> list[list[int]]:
        return list(
            join_draws(
                epoch_batches(a, Order(), batch=3, last=9, seed=0, first=first),
                epoch_batches(b, Order(), batch=2, last=9, seed=1, first=first),
                8,
                5,
            )
        )

    assert draws(0)[4:] == draws(4)
    with pytest.raises(StopIteration):
        next(join_draws(iter([]), iter([[0]]), 8, 5))
