import time

import numpy as np
import pytest

from service.answering import best_batch
from tests.fakes import FakeEncoder


class Paced(FakeEncoder):
    """Takes so many seconds for a pass and for each row of it."""

    def __init__(self, pass_s: float, row_s: float) -> None:
        super().__init__()
        self._pass_s, self._row_s = pass_s, row_s

    def encode_ground(self, pixels):
        time.sleep(self._pass_s + self._row_s * len(pixels))
        return np.zeros((len(pixels), self.dim), np.float32)


def test_batch_is_as_large_as_it_pays():
    assert best_batch(Paced(0.05, 0.0), largest=8) == 8


def test_batch_is_one_where_nothing_is_gained():
    assert best_batch(Paced(0.0, 0.05), largest=4) == 1


@pytest.mark.parametrize("largest", [1, 3])
def test_batch_is_never_larger_than_allowed(largest):
    assert best_batch(Paced(0.02, 0.0), largest=largest) <= largest
