"""Faults under a running service: keys taken away, other host names, a full spool, an index changed or gone, SIGTERM.

Each starts services of its own and returns what it saw, and whether the service `held`.
"""

from __future__ import annotations

import contextlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.attack_clients import upload_head
from benchmarks.bench_service import start_service
from service.keys import new_key

__all__ = ["FAULTS"]

_Row = dict[str, Any]
_SHUTDOWN_S = 3
_LAST_S = 5.0
_NOT_KEPT_BYTES = 512 << 10


def _keys(index: Path, checkpoint: str, photo: bytes) -> _Row:
    """Missing, wrong, revoked and worn-out keys; a valid one is answered."""
    (good, line), (revoked, other), (few, third) = new_key("a", None), new_key("b", None), new_key("c", 2)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "keys")
        file.write_text(f"{line}\n{other}\n{third}\n")
        with start_service(index, checkpoint, ["--api-keys", str(file)]) as (url, _):
            seen = {
                "missing": _post(url, photo),
                "wrong": _post(url, photo, key=good[:-1]),
                "valid": _post(url, photo, key=good),
                "before it is revoked": _post(url, photo, key=revoked),
                "third of two a minute": [_post(url, photo, key=few) for _ in range(3)][-1],
                "10,000 characters": _post(url, photo, key="x" * 10_000),
            }
            file.write_text(f"{line}\n")
            time.sleep(2.0)
            seen |= {"revoked": _post(url, photo, key=revoked), "valid after that": _post(url, photo, key=good)}
    wanted = [401, 401, 200, 200, 429, 401, 401, 200]
    return {"answers": seen, "held": list(seen.values()) == wanted}


def _hosts(index: Path, checkpoint: str, photo: bytes) -> _Row:
    """A page of another name that was pointed at this address (DNS rebinding)."""
    with start_service(index, checkpoint, ["--allowed-hosts", "127.0.0.1,maps.example"]) as (url, _):
        names = ["127.0.0.1", "maps.example", "MAPS.example:80", "evil.example", "maps.example.evil.example", ""]
        seen = {name: _post(url, photo, host=name) for name in names}
        forwarded = httpx.get(f"{url}/info", headers={"Host": "evil.example", "X-Forwarded-Host": "127.0.0.1"})
        seen["evil.example, forwarded as 127.0.0.1"] = forwarded.status_code
    refused = {seen[name] for name in seen if "evil" in name or not name}
    return {"answers": seen, "held": refused <= {400, 421} and list(seen.values())[:3] == [200, 200, 200]}


def _full_spool(index: Path, checkpoint: str, photo: bytes) -> _Row:
    """No file may grow beyond half a megabyte, as on a disk that is full."""
    large = photo + bytes(3 << 20)
    with _file_size_limit(_NOT_KEPT_BYTES), start_service(index, checkpoint, []) as (url, process):
        answers = [httpx.post(f"{url}/localize", files={"panorama": large}, timeout=60) for _ in range(5)]
        small = _post(url, photo)
        alive = process.poll() is None
    kinds = Counter(f"{one.status_code} {one.json()['type'].rpartition(':')[2]}" for one in answers)
    return {
        "answers": dict(kinds),
        "small": small,
        "held": kinds == {"503 storage-fault": 5} and small == 200 and alive,
    }


def _index(index: Path, checkpoint: str, photo: bytes) -> _Row:
    """Replaced (and told so), deleted, and cut short, each under load."""
    with tempfile.TemporaryDirectory(dir=index.parent) as folder:
        served = Path(shutil.copytree(index, Path(folder, "index")))
        with start_service(served, checkpoint, []) as (url, process):
            with _load(url, photo) as replaced:
                for number in range(5):
                    new = Path(shutil.copytree(index, Path(folder, f"new{number}")))
                    served.rename(Path(folder, f"old{number}"))
                    new.rename(served)
                    process.send_signal(signal.SIGHUP)
                    time.sleep(1.0)
            time.sleep(5.0)
            with _load(url, photo) as deleted:
                time.sleep(1.0)
                served.rename(Path(folder, "gone"))
                shutil.rmtree(Path(folder, "gone"))
                time.sleep(2.0)
        served = Path(shutil.copytree(index, Path(folder, "again")))
        with start_service(served, checkpoint, []) as (url, process):
            with _load(url, photo) as cut:
                time.sleep(1.0)
                with (served / "embeddings.npy").open("r+b") as file:
                    file.truncate(4096)
                time.sleep(2.0)
            last, alive = _post(url, photo), process.poll() is None
    held = set(replaced) == {"200"} and set(deleted) == {"200"} and set(cut) <= {"200", "503"} and last == 503 and alive
    return {"replaced": dict(replaced), "deleted": dict(deleted), "cut": dict(cut), "after_cut": last, "held": held}


def _stops(index: Path, checkpoint: str, photo: bytes) -> _Row:
    """SIGTERM while it loads, idles, receives a slow upload, and answers."""
    flags = ["--shutdown-s", str(_SHUTDOWN_S)]
    seconds: dict[str, float] = {"loading": _stop_while_loading(index, checkpoint, flags)}
    with start_service(index, checkpoint, flags) as (_, process):
        seconds["idle"] = _stop(process)
    with start_service(index, checkpoint, flags) as (url, process), _half_an_upload(url):
        seconds["receiving"] = _stop(process)
    with start_service(index, checkpoint, flags) as (url, process), _load(url, photo) as answers:
        time.sleep(1.0)
        seconds["answering"] = _stop(process)
    held = max(seconds.values()) < _SHUTDOWN_S + _LAST_S + 2.0 and not {kind for kind in answers if kind[:1] == "5"} - {
        "503"
    }
    return {"seconds_to_end": seconds, "answers": dict(answers), "held": held}


FAULTS: dict[str, Callable[[Path, str, bytes], _Row]] = {
    "keys": _keys,
    "host names": _hosts,
    "spool full": _full_spool,
    "index replaced, deleted, cut": _index,
    "SIGTERM": _stops,
}
"""Name -> fault for (index, checkpoint, a normal photo)."""


def _post(url: str, photo: bytes, *, key: str | None = None, host: str | None = None) -> int:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    headers |= {} if host is None else {"Host": host}
    return httpx.post(f"{url}/localize", files={"panorama": photo}, headers=headers, timeout=60).status_code


@contextlib.contextmanager
def _file_size_limit(size: int) -> Iterator[None]:
    """Processes that are started inside inherit it; this one gets its own back."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def _load(url: str, photo: bytes, *, clients: int = 4) -> Iterator[Counter[str]]:
    """Clients that post without a pause; the statuses that they got."""
    answers: Counter[str] = Counter()
    stopped = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stopped.is_set():
                try:
                    answers[str(client.post("/localize", files={"panorama": photo}).status_code)] += 1
                except httpx.TransportError as error:
                    answers[type(error).__name__] += 1
                    time.sleep(0.1)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def _half_an_upload(url: str) -> Iterator[None]:
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 80))) as connection:
        connection.sendall(upload_head(length=1 << 20) + bytes(1 << 16))
        time.sleep(0.5)
        yield


def _stop_while_loading(index: Path, checkpoint: str, flags: list[str]) -> float:
    with start_service(index, checkpoint, flags, wait=False) as (url, process):
        while process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/healthz")
                return _stop(process)
            time.sleep(0.01)
    raise SystemExit("the service ended before it was told to")


def _stop(process: subprocess.Popen[bytes]) -> float:
    """Seconds from SIGTERM to the end."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    return round(time.monotonic() - began, 2)
