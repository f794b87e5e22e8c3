"""The server in a process of its own: slow clients, a lame duck, an end in time, another index at SIGHUP."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.service.test_main import environment, free_port

_APP = """
import sys
from pathlib import Path
from service.app import create_app
from service.server import make_server
from service.settings import Settings
from tests.fakes import FakeEncoder
settings = Settings(index=Path(sys.argv[1]), port=int(sys.argv[2]), workers=1, max_batch=8, header_timeout_s=1.0,
                    lame_duck_s=1.5, shutdown_s=3)
make_server(create_app(settings, load_encoder=lambda _: (FakeEncoder(), False)), settings).run()
"""


@pytest.fixture
def served(index_folder):
    """(process, port) of a server that is ready."""
    port = free_port()
    command = [sys.executable, "-c", _APP, str(index_folder), str(port)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], env=environment(), stderr=subprocess.PIPE)
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    yield process, port
    process.kill()
    process.communicate()


def test_server_keeps_its_manners(served):
    process, port = served
    _slow_headers_are_cut(port)
    _endless_headers_are_refused(port)
    _who_takes_no_answer_is_let_go(port)
    _who_takes_it_slowly_gets_all(port)
    process.send_signal(signal.SIGHUP)
    _wait_for(lambda: 'swaps_total{outcome="done"} 1.0' in httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    process.send_signal(signal.SIGTERM)
    _wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 503)
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200  # a lame duck still works
    assert process.wait(timeout=30) in (0, -signal.SIGTERM)


def test_an_upload_that_still_comes_at_the_end_is_told_so(served):
    process, port = served
    head = b"POST /v1/localize HTTP/1.1\r\nHost: here\r\nContent-Length: 5000000\r\n"
    part = b'--b\r\nContent-Disposition: form-data; name="panorama"; filename="a.jpg"\r\n\r\n'
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(head + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + part)
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            with contextlib.suppress(ConnectionError):
                client.sendall(b"x" * 2_000)
            time.sleep(0.1)
        answer = client.recv(4_000)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"the service is stopping; try again later" in answer
    assert process.returncode in (0, -signal.SIGTERM)
    assert b"Traceback" not in process.stderr.read()


_LARGE = b"GET /web/leaflet/leaflet.js HTTP/1.1\r\nHost: here\r\n\r\n" * 400
"""Much more than a system keeps for a client."""
_PLAIN = {"Accept-Encoding": "identity"}


def _who_takes_no_answer_is_let_go(port: int) -> None:
    assert any(_got_after(wait_s, port) < _large_bytes(port) for wait_s in (3, 12, 40))  # a busy machine takes its time


def _got_after(wait_s: float, port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(_LARGE)
        time.sleep(wait_s)
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while data := client.recv(1 << 20):
                got += len(data)
        return got


def _who_takes_it_slowly_gets_all(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(_LARGE)
        end = time.monotonic() + 4.0
        while time.monotonic() < end:
            assert client.recv(1 << 17)
            time.sleep(0.1)
        left = _large_bytes(port)
        while left > 0 and (data := client.recv(1 << 20)):
            left -= len(data)
        assert left < 4.0 / 0.1 * (1 << 17)


def _large_bytes(port: int) -> int:
    return 400 * len(httpx.get(f"http://127.0.0.1:{port}/web/leaflet/leaflet.js", headers=_PLAIN).content)


def _slow_headers_are_cut(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        assert client.recv(100) == b""


def _endless_headers_are_refused(port: int) -> None:
    for start in (b"GET /healthz HTTP/1.1\r\nHost: ", b"GET /", b"GET /healthz HTTP/1.1\r\nHost: a\r\n"):
        part = b"x" * 70_000 if start.endswith((b" ", b"/")) else b"Name: value\r\n" * 6_000
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(start)
            time.sleep(0.05)
            try:
                for _ in range(20):
                    client.sendall(part)
                    time.sleep(0.005)
                answer = client.recv(1000)
            except ConnectionError:  # refused while still sending
                answer = b"HTTP/1.1 400"
        assert answer.startswith(b"HTTP/1.1 400")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:  # whole, and in one piece
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400")
    long = {"X-Long": "x" * 20_000}
    with httpx.Client() as client:  # what is long, but not too long, is answered, again and again
        assert {client.get(f"http://127.0.0.1:{port}/healthz", headers=long).status_code for _ in range(9)} == {200}


def _wait_for(holds) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
