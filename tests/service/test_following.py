"""A newer version of the index is taken without a signal, and what cannot be served is tried again."""

import shutil
import threading
import time
from dataclasses import replace
from itertools import pairwise

import pytest

from indexer.confidence.storage import CALIBRATION
from indexer.lifecycle.change import changing
from indexer.lifecycle.remove import remove_tiles
from service.following import calibration_mark, follow
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM, serving


def wait_for(reached, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def swaps(client) -> list[str]:
    return [line for line in client.get("/metrics").text.splitlines() if line.startswith("clnet_index_swaps_total{")]


@pytest.fixture
def served(settings, tmp_path):
    """(client, folder) of a service that looks for a newer version twenty times a second."""
    folder = shutil.copytree(settings.index, tmp_path / "served")
    with serving(replace(settings, index=folder, follow_s=0.05)) as client:
        yield client, folder


def test_a_changed_index_is_taken_and_nothing_else_is(served):
    client, folder = served
    assert client.get("/info").json()["index"]["tiles"] == 16
    with changing(folder) as change:
        remove_tiles(change, ids=[f"{ZOOM}/{WEST_X}/{NORTH_Y}"])
    wait_for(lambda: client.get("/info").json()["index"]["tiles"] == 15)
    time.sleep(0.3)
    assert swaps(client) == ['clnet_index_swaps_total{outcome="done"} 1.0']


def test_a_calibration_that_is_written_anew_is_taken_too(served):
    client, folder = served
    (folder / CALIBRATION).write_text("{}")  # none that can be used, which the index outlives
    wait_for(lambda: swaps(client) == ['clnet_index_swaps_total{outcome="done"} 1.0'])
    (folder / CALIBRATION).unlink()
    time.sleep(0.3)
    assert swaps(client) == ['clnet_index_swaps_total{outcome="done"} 1.0']


def test_a_folder_that_is_gone_for_a_moment_is_waited_for(served):
    client, folder = served
    folder.rename(folder.with_name("old"))
    time.sleep(0.3)
    assert swaps(client) == []
    assert client.get("/readyz").status_code == 200


def test_what_fails_is_tried_again_ever_more_seldom():
    gone, tries = threading.Event(), []

    def fails() -> bool:
        tries.append(time.monotonic())
        if len(tries) == 5:
            gone.set()
        return False

    follow(lambda: True, fails, every_s=0.02, gone=gone)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert len(tries) == 5
    assert all(pause >= 0.02 * 2**number for number, pause in enumerate(pauses, 1))


def test_it_ends_when_the_service_does():
    gone = threading.Event()
    thread = threading.Thread(target=follow, args=(lambda: False, lambda: True), kwargs={"every_s": 60.0, "gone": gone})
    thread.start()
    gone.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_no_calibration_has_no_mark(tmp_path):
    assert calibration_mark(None) is None
    assert calibration_mark(tmp_path) is None
