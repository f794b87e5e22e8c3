"""Where output is piped, a long step says a line every few seconds."""

import pytest

from model.common import progress as module
from model.common.progress import progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_a_short_step_says_nothing(capsys, clock):
    with progress(10, "decoding", unit="pictures") as bar:
        for _ in range(10):
            clock[0] += 0.4
            bar.update()
    assert capsys.readouterr().err == ""


def test_a_long_step_says_a_whole_line_every_five_seconds(capsys, clock):
    with progress(1000, "decoding", unit="pictures", done=100) as bar:
        bar.set_postfix_str("all well")
        for _ in range(12):
            clock[0] += 1.0
            bar.update(20)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "decoding: 200 of 1000 pictures (20 %), 20.00 pictures/s, 00:40 left, all well"
    assert second.startswith("decoding: 300 of 1000 pictures (30 %)")


def test_a_step_of_an_hour_says_a_line_a_minute_at_most(capsys, clock):
    with progress(3600, unit="steps") as bar:
        for _ in range(3600):
            clock[0] += 1.0
            bar.update()
    assert 60 <= len(capsys.readouterr().err.splitlines()) <= 110


def test_quiet_says_nothing(capsys, clock):
    with progress(100, unit="steps", quiet=True) as bar:
        clock[0] += 60.0
        bar.update()
    assert capsys.readouterr().err == ""
