import json
import logging

import pytest

from service.first_start import remembered
from service.first_start.remembered import measured_once, memory_file


@pytest.fixture
def quiet(tmp_path, monkeypatch):
    """A machine that does nothing else, and a memory of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(remembered, "_waiting", lambda: 0.0)
    return tmp_path / "cache"


def measuring(*numbers):
    left = iter(numbers)
    return lambda: next(left)


@pytest.mark.usefixtures("quiet")
def test_what_was_measured_is_not_measured_again():
    measure = measuring(8, 16)
    assert [measured_once("photos", {"encoder": "a"}, measure) for _ in range(3)] == [8, 8, 8]


@pytest.mark.usefixtures("quiet")
def test_another_encoder_or_another_number_of_processors_is_another_question(monkeypatch):
    measure = measuring(8, 16, 2, 4)
    assert measured_once("photos", {"encoder": "a"}, measure) == 8
    assert measured_once("photos", {"encoder": "b"}, measure) == 16
    assert measured_once("threads", {"encoder": "a"}, measure) == 2
    monkeypatch.setattr(remembered, "available_processors", lambda: 777)
    assert measured_once("photos", {"encoder": "a"}, measure) == 4


@pytest.mark.usefixtures("quiet")
def test_what_a_busy_machine_says_is_used_once(monkeypatch, caplog):
    monkeypatch.setattr(remembered, "_waiting", lambda: 1e6)
    measure = measuring(1, 8)
    with caplog.at_level(logging.INFO):
        assert measured_once("photos", {}, measure) == 1
    assert "the machine is busy, so photos will be measured again" in caplog.text
    monkeypatch.setattr(remembered, "_waiting", lambda: 0.0)
    assert [measured_once("photos", {}, measure) for _ in range(2)] == [8, 8]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_a_damaged_memory_is_written_anew(quiet, content):
    memory_file().parent.mkdir(parents=True)
    memory_file().write_bytes(content)
    measure = measuring(8, 16)
    assert [measured_once("photos", {}, measure) for _ in range(2)] == [8, 8]
    assert list(json.loads((quiet / "clnet-geolocalization" / "layout.json").read_text()).values()) == [8]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("wrong", [0, -1, "8", None])
def test_a_number_that_is_none_is_measured_again(wrong):
    measure = measuring(8, 16)
    measured_once("photos", {}, measure)
    content = dict.fromkeys(json.loads(memory_file().read_text()), wrong)
    memory_file().write_text(json.dumps(content))
    assert measured_once("photos", {}, measure) == 16


@pytest.mark.usefixtures("quiet")
def test_where_nothing_can_be_written_it_is_measured_each_time():
    memory_file().parent.parent.write_text("a file where the cache should be")
    measure = measuring(8, 16)
    assert [measured_once("photos", {}, measure) for _ in range(2)] == [8, 16]
