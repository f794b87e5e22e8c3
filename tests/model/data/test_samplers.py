from itertools import chain, pairwise

import numpy as np

from model.data.samplers import Phase, epoch_batches


def draws(positives, batch, first, last, seed=0):
    return list(epoch_batches(np.asarray(positives), [Phase(batch, last)], seed=seed, first=first))


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


def test_a_phase_has_its_own_batch_size_and_begins_with_a_new_epoch():
    phases = [Phase(6, 3), Phase(4, 7)]
    batches = list(epoch_batches(np.arange(12), phases, seed=0))
    assert [len(batch) for batch in batches] == [6, 6, 6, 4, 4, 4, 4]
    assert [batch[0] // 12 for batch in batches] == [0, 0, 1, 2, 2, 2, 3]
    for first in range(8):
        assert list(epoch_batches(np.arange(12), phases, seed=0, first=first)) == batches[first:]
