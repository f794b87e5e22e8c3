from itertools import chain, pairwise

import numpy as np
import pytest
from PIL import Image

from model.data.loading import (
    TrainingPairs,
    epoch_batches,
    load_query,
    load_reference,
    load_wide_reference,
    plain_errors,
    training_loader,
    view_loader,
)
from model.data.manifest import read_manifest
from model.data.pairs import Reference
from model.errors import BadImage
from tests.model.tiny import INPUTS, write_pairs


@pytest.fixture
def pairs(tmp_path):
    return read_manifest(write_pairs(tmp_path))


def draws(positives, batch, first, last, seed=0):
    return list(epoch_batches(np.asarray(positives), batch, seed=seed, first=first, last=last))


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


def test_a_draw_is_augmented_alike_each_time_and_differently_in_the_next_epoch(pairs):
    dataset = TrainingPairs(pairs, INPUTS, seed=3, augment=True)
    (a, _), (b, _), (c, _) = dataset[5], dataset[5], dataset[5 + len(dataset)]
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_worker_processes_change_nothing(pairs):
    dataset = TrainingPairs(pairs, INPUTS, seed=0, augment=True)
    alone, helped = (
        [ground.numpy() for ground, _ in training_loader(dataset, iter([[0, 1], [9, 4]]), workers=workers)]
        for workers in (0, 1)
    )
    assert all(np.array_equal(a, b) for a, b in zip(alone, helped, strict=True))


def test_a_broken_picture_is_named_in_one_line_whichever_process_found_it(pairs):
    pairs.queries[3].path.write_bytes(b"no picture")
    dataset = TrainingPairs(pairs, INPUTS, seed=0, augment=False)
    for workers in (0, 1):
        with pytest.raises(BadImage, match=r"pano3\.png is not a JPEG, PNG or WebP") as caught:
            list(plain_errors(training_loader(dataset, iter([[3, 1]]), workers=workers)))
        assert len(str(caught.value).splitlines()) == 1


def test_views_come_in_order(pairs):
    batches = list(view_loader(pairs.references, load_reference, INPUTS, batch=4, workers=0))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert np.array_equal(batches[1][0].numpy(), load_reference(pairs.references[4], INPUTS))
    assert load_query(pairs.queries[0], INPUTS).shape == (32, 64, 3)


def test_batches_of_one_epoch_do_not_overlap():
    assert all(not set(a) & set(b) for a, b in pairwise(draws(range(12), 4, 0, 3)))


def test_a_tile_with_a_margin_is_evaluated_without_it(tmp_path):
    wide = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    Image.fromarray(wide[16:80, 16:80]).save(tmp_path / "tile.png")
    reference = Reference(tmp_path / "wide.png", margin=0.25)
    tile, kept = load_reference(reference, INPUTS), load_wide_reference(reference, INPUTS)
    assert (tile.shape, kept.shape) == ((32, 32, 3), (48, 48, 3))
    plain = load_reference(Reference(tmp_path / "tile.png"), INPUTS)
    assert np.array_equal(tile[1:-1, 1:-1], plain[1:-1, 1:-1])  # only the outermost pixels see beyond
    assert np.array_equal(kept[8:40, 8:40], tile)
