from dataclasses import replace

import pytest

from model.common.errors import BadConfig, BadDataset
from model.data.manifest import read_manifest
from model.training.distributed import ALONE, Processes
from model.training.requirements import require_fit
from tests.model.tiny import tiny_run, write_pairs


@pytest.fixture
def pairs(tmp_path):
    return read_manifest(write_pairs(tmp_path, 8))


def test_what_fits_passes(pairs):
    require_fit(tiny_run(), pairs, ALONE, 8)
    require_fit(tiny_run(batch=4), pairs, Processes(1, 2), 4)


def test_a_batch_of_more_tiles_than_there_are_is_refused(pairs):
    with pytest.raises(BadDataset, match="has 8 pairs over 8 tiles, fewer than one batch of 9"):
        require_fit(tiny_run(), pairs, ALONE, 9)


def test_an_early_end_is_for_one_process(pairs):
    run = tiny_run(patience=2, keep_best=True)
    require_fit(run, pairs, ALONE, 4)
    with pytest.raises(BadConfig, match=r"optim.patience is 2 and there are 2 processes"):
        require_fit(run, pairs, Processes(0, 2), 4)


def test_anchors_ask_for_a_margin(pairs):
    run = tiny_run()
    run = replace(run, inputs=replace(run.inputs, anchors=3))
    with pytest.raises(BadDataset, match=r"has a tile with a margin of 0\.0; inputs\.anchors 3 asks"):
        require_fit(run, pairs, ALONE, 4)
