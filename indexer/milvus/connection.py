"""A connection to Milvus whose calls end in time, and whose errors are the project's."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

from indexer.common.errors import DatabaseAway, DatabaseFault
from indexer.common.optional import load_milvus
from indexer.milvus.address import MilvusAddress, read_token
from model.common.errors import MissingExtra

__all__ = ["Connection"]

_AWAY_CODES = frozenset({2})
"""Of the client: no connection could be made."""
_NEVER_MS = 2**31 - 1
_AWAY_WORDS = ("unavailable", "deadline", "timeout", "timed out", "not ready", "connection", "connect failed", "closed")
"""In what else means that a server is starting, stopping or gone; its codes differ between versions."""


class Connection:
    """Calls the client's methods by name, each with a time limit; threads may share it.

    Attributes:
        address: what it is connected to.
    """

    def __init__(self, address: MilvusAddress) -> None:
        """Connect.

        Raises:
            MissingExtra: the client is not installed, or for a file Milvus Lite.
            BadConfig: the file of the token cannot be read.
            DatabaseAway: nothing answers there.
            DatabaseFault: it refuses.
        """
        self.address = address
        self._library = load_milvus()
        self._rpc_error: type[Exception] = importlib.import_module("grpc").RpcError
        self._require_lite()
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # a traceback for each failure, which is raised, too
        options: dict[str, Any] = {"token": read_token(address), "db_name": address.database}
        if address.is_file:  # Lite cannot answer pings while it works, and the client would call once more
            options["grpc_options"] = {"grpc.keepalive_time_ms": _NEVER_MS}
        self._client: Any = None
        self._client = self._guarded(self._library.MilvusClient, address.uri, timeout=address.timeout_s, **options)

    def call(self, method: str, *args: Any, timeout_s: float | None = None, **options: Any) -> Any:
        """What a method of the client answers.

        Args:
            method: its name.
            args: of the method, as `options`.
            timeout_s: how long it may take; as the address says where not given.

        Raises:
            DatabaseAway: it does not answer in time.
            DatabaseFault: it cannot do that.
        """
        timeout_s = timeout_s or self.address.timeout_s
        return self._guarded(getattr(self._client, method), *args, timeout=timeout_s, **options)

    @property
    def library(self) -> Any:
        """The module of the client, for its names."""
        return self._library

    def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.close()

    def _guarded(self, method: Any, *args: Any, **options: Any) -> Any:
        try:
            return method(*args, **options)
        except self._library.MilvusException as error:
            raise self._told(error, str(error.message) or str(error), error.code) from error
        except (OSError, RuntimeError, ValueError, self._rpc_error) as error:  # a closed channel, a file in use
            raise self._told(error, str(error), -1) from error

    def _told(self, error: Exception, message: str, code: int) -> DatabaseAway | DatabaseFault:
        away = code in _AWAY_CODES or any(word in message.lower() for word in _AWAY_WORDS)
        message = message.strip().removesuffix(".")
        if away and not self.address.is_file:
            return DatabaseAway(f"Milvus at {self.address.uri} does not answer: {message}. Start it, or try again")
        return DatabaseFault(f"Milvus at {self.address.uri} cannot do that: {message or error!r}")

    def _require_lite(self) -> None:
        """A file needs a second package, whose absence the client tells in many words."""
        if not self.address.is_file:
            return
        if importlib.util.find_spec("milvus_lite") is None:
            raise MissingExtra(
                f"{self.address} is a file of Milvus Lite; install it with "
                "`pip install 'clnet-geolocalization[milvus]'`"
            )
