"""A service that is being started: a free port for it, and the wait until it answers."""

from __future__ import annotations

import socket
import subprocess
import time

import httpx

__all__ = ["free_port", "wait_until_answered"]


def free_port() -> int:
    """A TCP port of this machine that nothing listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_answered(
    url: str, *, process: subprocess.Popen[bytes] | None = None, patience_s: float = 120.0, every_s: float = 0.02
) -> None:
    """Ask for `url` until the answer is 200.

    Args:
        url: such as that of `/readyz`.
        process: the service; nothing is waited for once it has ended.
        patience_s: seconds to wait at most.
        every_s: seconds between two questions.

    Raises:
        SystemExit: it is not, or did not in time.
    """
    end = time.monotonic() + patience_s
    while time.monotonic() < end and (process is None or process.poll() is None):
        try:
            if httpx.get(url, timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(every_s)
    raise SystemExit(f"{url} did not answer within {patience_s:g} s; the service's own messages say why")
