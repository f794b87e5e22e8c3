import time

import numpy as np
import pytest

from indexer.localization.timing import Stopwatch, TimedEncoder
from tests.fakes import FakeEncoder


class Slow(FakeEncoder):
    def encode_ground(self, pixels):
        time.sleep(0.02)
        return super().encode_ground(pixels)


def test_every_pass_is_counted_and_changes_nothing():
    watch, slow = Stopwatch(), Slow()
    timed = TimedEncoder(slow, watch)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 64, 3), np.uint8)
    assert not timed.sweeps
    assert np.array_equal(timed.encode_ground(pixels), slow.encode_ground(pixels))
    assert 0.02 <= watch.seconds["embed"] < 0.6
    assert np.array_equal(timed.encode_headings(pixels), slow.encode_headings(pixels))
    assert watch.seconds["embed"] >= 0.02 * 33
    assert watch.seconds["search"] == pytest.approx(0.0)
