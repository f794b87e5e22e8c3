import logging

import numpy as np
import pytest
import torch

from model.network.bundle_files import read_bundle_info
from model.network.engines.recorded import RecordedPasses, padded_size
from model.network.engines.torch_engine import TorchEngine
from tests.model.demo_pictures import canvases


def test_batches_are_filled_up_to_a_power_of_two_and_large_ones_are_not_recorded():
    assert [padded_size(count) for count in (1, 2, 3, 8, 9, 100, 128, 129)] == [1, 2, 4, 8, 16, 128, 128, 0]
    assert padded_size(0) == 0


def test_a_device_that_cannot_record_computes_and_says_so_once(caplog, monkeypatch):
    def refuse(*_):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(RecordedPasses, "_record_size", refuse)
    passes = RecordedPasses(lambda pictures: pictures.flatten(1) * 2.0)
    pictures = torch.arange(24.0).reshape(2, 3, 2, 2)
    with caplog.at_level(logging.WARNING):
        assert all(torch.equal(passes(pictures), pictures.flatten(1) * 2.0) for _ in range(2))
    (message,) = (record.getMessage() for record in caplog.records)
    assert message.startswith(
        "cpu cannot record a pass, so each is started kernel by kernel, which is slower: operation"
    )


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_recorded_pass_gives_what_its_kernels_give(precision):
    folder = str(read_bundle_info("demo").folder)
    plain, replayed = (
        TorchEngine(folder, device="cuda", precision=precision, recorded=recorded) for recorded in (False, True)
    )
    pixels = canvases(5)
    for count in (5, 3, 1, 5):  # filled up to 8, 4 and 1, and replayed
        expected, found = (engine.run(pixels[:count], "ground") for engine in (plain, replayed))
        assert np.sum(expected * found, axis=1).min() > 0.9995
