"""Answers kept on disk with what their server said of them: the next run asks only whether they have changed."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from model.common.atomic_io import staged_file

__all__ = ["Cache", "Kept"]


@dataclass(frozen=True)
class Kept:
    """What a server said of an answer.

    Attributes:
        etag: its version; empty where the server names none.
        modified: its time of change, in the words of the server.
        fresh_until: seconds since 1970 up to which it need not be asked again.
        sha256: of the content.
    """

    etag: str
    modified: str
    fresh_until: float
    sha256: str

    @property
    def is_fresh(self) -> bool:
        """Whether it counts without asking."""
        return time.time() < self.fresh_until


class Cache:
    """A folder of answers, by address. Several threads, and processes, may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, address: str) -> tuple[bytes, Kept] | None:
        """The content kept for an address; None where there is none, or it is damaged."""
        data, about = self._paths(address)
        try:
            kept = Kept(**json.loads(about.read_bytes()))
            content = data.read_bytes()
        except (OSError, ValueError, TypeError):
            return None
        return (content, kept) if hashlib.sha256(content).hexdigest() == kept.sha256 else None

    def keep(self, address: str, content: bytes, *, etag: str, modified: str, fresh_s: float) -> None:
        """Keep an answer."""
        data, about = self._paths(address)
        data.parent.mkdir(parents=True, exist_ok=True)
        kept = Kept(etag, modified, time.time() + fresh_s, hashlib.sha256(content).hexdigest())
        for path, written in ((data, content), (about, json.dumps(asdict(kept)).encode())):
            with staged_file(path) as staged:
                staged.write_bytes(written)

    def _paths(self, address: str) -> tuple[Path, Path]:
        name = hashlib.sha256(address.encode()).hexdigest()
        base = self._folder / name[:2] / name
        return base, base.with_name(f"{name}.json")
