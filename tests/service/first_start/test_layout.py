import numpy as np
import pytest

from service.first_start import layout
from service.first_start.layout import best_batch, best_threads, threads_to_try
from tests.fakes import FakeEncoder


class Clock:
    """Goes on only where something takes time, so that a busy machine changes no result."""

    def __init__(self):
        self.now_s = 0.0

    def perf_counter(self):
        return self.now_s


CLOCK = Clock()


@pytest.fixture(autouse=True)
def _time(monkeypatch):
    monkeypatch.setattr(layout, "time", CLOCK)


class Paced(FakeEncoder):
    """Takes so many seconds for a pass and for each row of it."""

    def __init__(self, pass_s: float, row_s: float) -> None:
        super().__init__()
        self._pass_s, self._row_s = pass_s, row_s

    def encode_ground(self, pixels):
        CLOCK.now_s += self._pass_s + self._row_s * len(pixels)
        return np.zeros((len(pixels), self.dim), np.float32)


def test_batch_is_as_large_as_it_pays():
    assert best_batch(Paced(0.05, 0.0), largest=8) == 8


def test_batch_is_one_where_nothing_is_gained():
    assert best_batch(Paced(0.0, 0.05), largest=4) == 1


@pytest.mark.parametrize("largest", [1, 3])
def test_batch_is_never_larger_than_allowed(largest):
    assert best_batch(Paced(0.02, 0.0), largest=largest) <= largest


@pytest.mark.parametrize(
    ("processors", "tried"), [(1, [1]), (2, [1]), (3, [1]), (4, [1, 2]), (12, [1, 2, 4, 6]), (16, [1, 2, 4, 8])]
)
def test_threads_are_powers_of_two_up_to_half_the_processors(processors, tried):
    assert threads_to_try(processors) == tried


def test_threads_are_added_while_a_pass_gains_by_them():
    assert best_threads(lambda threads: Paced(0.04 / min(threads, 4), 0.0), 16) == 4


def test_where_others_are_busy_and_more_threads_gain_nothing_one_is_left():
    assert best_threads(lambda _: Paced(0.03, 0.0), 16) == 1


def test_where_there_is_no_choice_nothing_is_loaded():
    def load(_):
        raise AssertionError("loaded")

    assert best_threads(load, 2) == 1
