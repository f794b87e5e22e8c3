"""More work than the service takes: refused at once, in order, and the service goes on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.service.conftest import HookedEncoder, serving
from tests.service.pictures import encoded, panorama_of

PHOTO = encoded(panorama_of(6))


class SlowEncoder(HookedEncoder):
    """Embeds nothing until it is let go; remembers the size of each batch."""

    def __init__(self) -> None:
        super().__init__(self._wait)
        self.entered, self.opened = threading.Event(), threading.Event()
        self.batches: list[int] = []

    def _wait(self, pixels) -> None:
        self.batches.append(len(pixels))
        self.entered.set()
        assert self.opened.wait(20)


def post(client):
    return client.post("/localize", files={"panorama": PHOTO}, data={"heading_deg": "0", "fov_deg": "360"})


def test_request_beyond_the_line_is_a_503_with_retry_after(settings):
    encoder = SlowEncoder()
    with (
        serving(replace(settings, workers=1, queue_limit=1), encoder) as client,
        ThreadPoolExecutor(8) as clients,
    ):
        answers = [clients.submit(post, client) for _ in range(6)]
        refused = _first_done(answers, 4)
        assert {response.status_code for response in refused} == {503}
        assert all(int(response.headers["retry-after"]) >= 1 for response in refused)
        assert all(response.headers["content-type"] == "application/problem+json" for response in refused)
        assert client.get("/healthz").status_code == 200
        encoder.opened.set()
        assert sorted(answer.result().status_code for answer in answers) == [200, 200, 503, 503, 503, 503]
        assert post(client).status_code == 200


def test_request_that_waits_too_long_is_a_503(settings):
    encoder = SlowEncoder()
    changes = {"workers": 1, "queue_limit": 5, "deadline_s": 0.2}
    with serving(replace(settings, **changes), encoder) as client, ThreadPoolExecutor(4) as clients:
        first = clients.submit(post, client)
        encoder.entered.wait(10)
        late = clients.submit(post, client)
        threading.Event().wait(0.4)
        encoder.opened.set()
        assert late.result().status_code == 503
        assert late.result().json()["type"].endswith("deadline-exceeded")
        assert first.result().status_code == 503  # its own time was over too
        assert post(client).status_code == 200


def test_requests_at_once_share_forward_passes(settings):
    encoder = SlowEncoder()
    changes = {"max_batch": 8}
    with serving(replace(settings, **changes), encoder) as client, ThreadPoolExecutor(5) as clients:
        first = clients.submit(post, client)
        encoder.entered.wait(10)
        others = [clients.submit(post, client) for _ in range(4)]
        threading.Event().wait(1.0)
        encoder.opened.set()
        tiles = {answer.result().json()["matches"][0]["tile_id"] for answer in (first, *others)}
    assert sum(encoder.batches) == 5
    assert len(encoder.batches) < 5
    assert len(tiles) == 1


def _first_done(futures, count):
    import time

    end = time.monotonic() + 20
    while sum(future.done() for future in futures) < count:
        if time.monotonic() > end:
            pytest.fail("the line did not refuse")
        time.sleep(0.01)
    return [future.result() for future in futures if future.done()][:count]
