"""Whether a port is free, asked before anything costly is begun."""

from __future__ import annotations

import socket

from model.common.errors import BadConfig

__all__ = ["require_free"]


def require_free(host: str, port: int) -> None:
    """Say that a port is taken before minutes are spent on loading.

    Raises:
        BadConfig: nothing can listen there.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadConfig(f"cannot listen on {host} port {port} ({error.strerror}); choose another --port") from error
