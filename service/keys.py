"""API keys: a file of names and hashes, read anew when it changes, and how often each key may ask.

A line is `NAME SHA256 [PER_MINUTE]`; `python -m service key NAME` makes a key and its line. Keys are random and long,
so that a plain hash keeps them; the file holds nothing that opens anything.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from model.common.errors import BadConfig

__all__ = ["KeyRing", "new_key"]

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LINE = re.compile(rf"({_NAME.pattern}) ([0-9a-f]{{64}})(?: ([1-9]\d{{0,6}}))?")
_MOST_PER_MINUTE = 9_999_999


@dataclass
class _Key:
    name: str
    digest: str
    per_minute: int | None
    left: float = 0.0
    counted_at: float = 0.0


class KeyRing:
    """The keys of a file.

    Example:
        >>> KeyRing(Path("keys.txt")).name_of("a key that nobody has")  # doctest: +SKIP
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            BadConfig: it cannot be read, or a line is none.
        """
        self._path = path
        self._stamp = 0
        self._keys: list[_Key] = []
        self._read()

    def name_of(self, key: str) -> str | None:
        """Whose key it is; None where it is nobody's. Takes as long for a wrong one as for a right one."""
        self._look_again()
        found = self._found(key)
        return None if found is None else found.name

    def wait_s(self, key: str) -> float:
        """Count a request of a key; how long it has to wait, 0 where it has not. Two keys of one name count apart."""
        found = self._found(key)
        return 0.0 if found is None else _wait_s(found)

    def _found(self, key: str) -> _Key | None:
        digest = hashlib.sha256(key.encode()).hexdigest()
        found = None
        for one in self._keys:
            if hmac.compare_digest(one.digest, digest):
                found = one
        return found

    def _look_again(self) -> None:
        """Read the file anew where it has changed; a broken one leaves the keys as they were."""
        try:
            if self._path.stat().st_mtime_ns != self._stamp:
                self._read()
        except (OSError, BadConfig) as error:
            logger.error("the keys stay as they were: %s", error)

    def _read(self) -> None:
        try:
            self._stamp = self._path.stat().st_mtime_ns
            lines = self._path.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfig(f"{self._path} cannot be read: {error}; give a file of API keys") from error
        before = {one.digest: one for one in self._keys}
        keys = []
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            if (parts := _LINE.fullmatch(line.strip())) is None:
                raise BadConfig(
                    f"line {number} of {self._path} is no `NAME SHA256 [PER_MINUTE]`; make one with "
                    "`python -m service key NAME`"
                )
            name, digest, per_minute = parts.groups()
            limit = int(per_minute) if per_minute else None
            old = before.get(digest)
            counted = (old.left, old.counted_at) if old is not None and old.per_minute == limit else (0.0, 0.0)
            keys.append(_Key(name, digest, limit, *counted))
        self._keys = keys


def _wait_s(key: _Key) -> float:
    if key.per_minute is None:
        return 0.0
    now = time.monotonic()
    rate = key.per_minute / 60.0
    fresh = key.per_minute if not key.counted_at else (now - key.counted_at) * rate
    key.left, key.counted_at = min(key.per_minute, key.left + fresh), now
    if key.left >= 1.0:
        key.left -= 1.0
        return 0.0
    return (1.0 - key.left) / rate


def new_key(name: str, per_minute: int | None = None) -> tuple[str, str]:
    """A new key, and the line that lets it in.

    Raises:
        BadConfig: the name has other characters than letters, digits and . _ -, or the limit is none.
    """
    if _NAME.fullmatch(name) is None:
        raise BadConfig(f"{name!r} cannot name a key; use letters, digits and . _ - only, at most 64")
    if per_minute is not None and not 1 <= per_minute <= _MOST_PER_MINUTE:
        raise BadConfig(
            f"{per_minute} requests a minute is no limit; give 1 to {_MOST_PER_MINUTE:,}, leave it out for any number, "
            "or take a key's line out of the file to lock it out"
        )
    key = secrets.token_urlsafe(32)
    limit = "" if per_minute is None else f" {per_minute}"
    return key, f"{name} {hashlib.sha256(key.encode()).hexdigest()}{limit}"
