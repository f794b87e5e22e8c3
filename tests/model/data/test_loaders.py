import numpy as np
import pytest
from torch._utils import ExceptionWrapper

from model.common.errors import BadDataset, BadImage, MissingExtra, OutputExists
from model.data.augment_spec import AugmentSpec
from model.data.loaders import TrainingPairs, plain_errors, training_loader
from model.data.manifest import read_manifest
from model.data.pictures import PictureFiles
from tests.model.tiny import INPUTS, write_pairs


@pytest.fixture
def pairs(tmp_path):
    return read_manifest(write_pairs(tmp_path))


def training(pairs, *, seed, augment):
    return TrainingPairs(PictureFiles(pairs, INPUTS), pairs.positives, INPUTS, seed=seed, augment=augment)


def test_a_draw_is_augmented_alike_each_time_and_differently_in_the_next_epoch(pairs):
    dataset = training(pairs, seed=3, augment=AugmentSpec())
    (a, _), (b, _), (c, _) = dataset[5], dataset[5], dataset[5 + len(dataset)]
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_turned_copies_follow_their_own_panorama_and_leave_the_tiles_alone(pairs):
    plain, turned = (training(pairs, seed=3, augment=AugmentSpec(turned=count)) for count in (0, 2))
    (ground, tiles), (copies, same) = (
        next(iter(training_loader(one, iter([[4, 1]]), workers=0))) for one in (plain, turned)
    )
    assert copies.shape == (6, *ground.shape[1:])
    assert np.array_equal(copies[::3], ground)
    assert np.array_equal(same, tiles)
    for query in (0, 1):
        turns = [np.roll(ground[query].numpy(), turn, axis=1) for turn in range(ground.shape[2])]
        for copy in copies[3 * query + 1 : 3 * query + 3].numpy():
            assert any(np.array_equal(copy, turn) for turn in turns)


def test_worker_processes_change_nothing(pairs):
    dataset = training(pairs, seed=0, augment=AugmentSpec(turned=1))
    alone, helped = (
        [ground.numpy() for ground, _ in training_loader(dataset, iter([[0, 1], [9, 4]]), workers=workers)]
        for workers in (0, 1)
    )
    assert all(np.array_equal(a, b) for a, b in zip(alone, helped, strict=True))


def test_a_broken_picture_is_named_in_one_line_whichever_process_found_it(pairs):
    pairs.queries[3].path.write_bytes(b"no picture")
    dataset = training(pairs, seed=0, augment=AugmentSpec(turns=False, mirror=False, colour=0))
    for workers in (0, 1):
        with pytest.raises(BadImage, match=r"pano3\.png is not a JPEG, PNG, WebP, TIFF") as caught:
            list(plain_errors(training_loader(dataset, iter([[3, 1]]), workers=workers)))
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("kind", [BadDataset, MissingExtra, OutputExists, FileNotFoundError])
def test_a_workers_error_has_the_message_that_it_was_raised_with(kind):
    def raise_in_a_worker():
        try:
            raise kind("first: a line\nBadImage: another") from ValueError("its cause")
        except kind:
            ExceptionWrapper(where="in DataLoader worker process 0").reraise()
        yield

    with pytest.raises(kind) as caught:
        list(plain_errors(raise_in_a_worker()))
    assert str(caught.value).split() == ["first:", "a", "line", "BadImage:", "another"]  # ours are one line
