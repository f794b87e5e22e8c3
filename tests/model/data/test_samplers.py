from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest

from model.common.errors import BadConfig, BadDataset
from model.data.pairs import PairSet, Query, Reference
from model.data.samplers import Order, SamplerSpec, epoch_batches


def pair_set(positives, semi_positives=(), tiles=None):
    queries = tuple(Query(Path(f"pano{number}")) for number in range(len(positives)))
    references = tuple(Reference(Path(f"tile{number}")) for number in range(tiles or max(positives) + 1))
    return PairSet("mine", queries, references, np.asarray(positives, np.int64), semi_positives)


def draws(positives, batch, first, last, seed=0):
    return list(epoch_batches(pair_set(positives), Order(), batch=batch, last=last, seed=seed, first=first))


def ring(count):
    """Pairs on a circle; each one's neighbours are the next and the one before, and so on outwards."""
    steps = np.array([step * sign for step in range(1, count // 2) for sign in (1, -1)])
    return ((np.arange(count)[:, None] + steps) % count).astype(np.int32)


def test_an_epoch_shows_every_pair_once_and_the_next_has_another_order():
    batches = draws(range(12), 4, 0, 6)
    first, second = list(chain(*batches[:3])), list(chain(*batches[3:]))
    assert sorted(first) == list(range(12))
    assert sorted(second) == list(range(12, 24))
    assert first != [draw - 12 for draw in second]


def test_starting_late_gives_what_starting_early_would_have_given():
    assert draws(range(10), 4, 3, 9) == draws(range(10), 4, 0, 9)[3:]


def test_an_incomplete_last_batch_is_dropped():
    assert [len(batch) for batch in draws(range(10), 4, 0, 4)] == [4, 4, 4, 4]


def test_no_batch_holds_two_queries_of_one_tile():
    positives = np.repeat(np.arange(6), 2)
    for batch in draws(positives, 4, 0, 12):
        tiles = [int(positives[draw % 12]) for draw in batch]
        assert len(set(tiles)) == 4


def test_batches_of_one_epoch_do_not_overlap():
    assert all(not set(a) & set(b) for a, b in pairwise(draws(range(12), 4, 0, 3)))


def test_an_anchor_brings_its_nearest_pairs_that_the_epoch_has_not_shown():
    order = Order(table=ring(24))
    batches = list(epoch_batches(pair_set(range(24)), order, batch=6, last=4, seed=0, neighbours=2))
    assert sorted(chain(*batches)) == list(range(24))
    first = batches[0]
    for anchor, *others in (first[:3], first[3:]):
        assert len(others) == 2
        assert all(min((row - anchor) % 24, (anchor - row) % 24) <= 4 for row in others)
    assert {(row - first[0]) % 24 for row in first[1:3]} == {1, 23}


def test_no_more_pairs_join_an_anchor_than_were_asked_for_however_many_the_table_names():
    (batch,) = epoch_batches(pair_set(range(60)), Order(table=ring(60)), batch=12, last=1, seed=0, neighbours=3)
    for anchor, *joined in np.reshape(batch, (3, 4)).tolist():
        assert joined == [(anchor + step) % 60 for step in (1, -1, 2)]


def test_a_tile_that_also_covers_the_query_is_never_its_negative():
    count = 24
    overlaps = tuple(((row + 1) % count, (row - 1) % count) for row in range(count))
    pairs = pair_set(range(count), overlaps)
    for table in (None, ring(count)):
        for batch in epoch_batches(pairs, Order(table=table), batch=6, last=12, seed=0, neighbours=3):
            rows = [draw % count for draw in batch]
            assert all((a - b) % count != 1 for a in rows for b in rows)


@pytest.mark.parametrize("step", [1, -1])
def test_whichever_of_two_pairs_comes_first_their_tiles_are_not_each_others_negatives(step):
    """A tile covers the query of the next pair, whose own tile does not cover the first: the table names it once."""
    count = 24
    pairs = pair_set(range(count), tuple(((row + step) % count,) for row in range(count)))
    for batch in epoch_batches(pairs, Order(table=ring(count)), batch=6, last=24, seed=0, neighbours=3):
        rows = [draw % count for draw in batch]
        assert all((a - b) % count != 1 for a in rows for b in rows)


def test_epochs_of_an_order_go_on_where_the_one_before_ended():
    def batches(order, first=0):
        return list(epoch_batches(pair_set(range(12)), order, batch=4, last=9, seed=0, first=first))

    whole = batches(Order())
    assert batches(Order(epochs=1)) == whole[:3]
    assert batches(Order(1, 3, 1)) == whole[3:6]
    assert batches(Order(1, 3), first=5) == whole[5:]


def test_an_epoch_whose_order_fills_no_batch_is_passed_over():
    overlapping = tuple(tuple(tile for tile in (row - 1, row + 1) if 0 <= tile < 5) for row in range(5))
    pairs = pair_set(range(5), overlapping)  # only 0, 2 and 4 may stand together
    batches = list(epoch_batches(pairs, Order(), batch=3, last=4, seed=0))
    assert [sorted(draw % 5 for draw in batch) for batch in batches] == [[0, 2, 4]] * 4
    epochs = [batch[0] // 5 for batch in batches]
    assert epochs[-1] > 3, "no epoch of these failed to fill a batch"
    assert batches[2:] == list(epoch_batches(pairs, Order(), batch=3, last=4, seed=0, first=2))


def test_no_batch_at_all_is_an_error_and_no_endless_loop():
    everyone = tuple(tuple(tile for tile in range(6) if tile != row) for row in range(6))
    with pytest.raises(BadDataset, match="mine gives no batch of 2 pairs"):
        list(epoch_batches(pair_set(range(6), everyone), Order(), batch=2, last=1, seed=0))


def test_half_of_the_neighbours_may_be_drawn_from_behind_the_nearest():
    order = Order(table=ring(48)[:, :12])  # up to six steps away on either side
    options = {"batch": 5, "last": 4, "seed": 0, "neighbours": 4}
    batches = list(epoch_batches(pair_set(range(48)), order, **options, drawn=2))
    (anchor, *others), *_ = batches
    away = [min((row - anchor) % 48, (anchor - row) % 48) for row in others]
    assert away[:2] == [1, 1]
    assert all(2 <= steps <= 6 for steps in away[2:])
    assert len(set(others)) == 4
    assert batches == list(epoch_batches(pair_set(range(48)), order, **options, drawn=2))
    assert batches != list(epoch_batches(pair_set(range(48)), order, **options))


def test_with_drawn_neighbours_too_an_epoch_shows_every_pair_once():
    options = {"batch": 6, "last": 4, "seed": 0, "neighbours": 4, "drawn": 3}
    batches = epoch_batches(pair_set(range(24)), Order(table=ring(24)), **options)
    assert sorted(chain(*batches)) == list(range(24))


@pytest.mark.parametrize(
    "change",
    [{"kind": "nearest"}, {"drawn": -1}, {"drawn": 8}, {"neighbours": 0}, {"candidates": 6}, {"every_epochs": 0}],
)
def test_impossible_samplers_are_refused(change):
    with pytest.raises(BadConfig, match=r"data\.sampler\."):
        SamplerSpec(**change)
