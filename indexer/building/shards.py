"""The work folder of a build: finished shards beside the output, from which a killed build resumes.

Every shard is written under a temporary name and renamed; its report comes after its vectors and holds their digest,
so a shard counts as done only when it is whole. A lock keeps two builds apart and dies with its process.
"""

from __future__ import annotations

import fcntl
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BuildConflict
from model.common.atomic_io import canonical_json, sha256_bytes, sha256_file, staged_file, write_json

__all__ = ["ShardReport", "WorkFolder", "open_work"]

_IDENTITY = "build.json"
_LOCK = "lock"


@dataclass(frozen=True)
class ShardReport:
    """What became of the tiles of one shard.

    Attributes:
        rows: rows of the plan that were embedded, ascending; one vector each.
        skipped: rows without data.
        failures: (row of the plan, reason), ascending.
        sizes: "width x height" of the pictures, and how many had it.
        sha256: of the file of vectors.
        tiles: digest of the shard's rows of the plan, stamps of their files included.
        contents: (bytes, SHA-256 hex) of the picture of each of `rows`.
    """

    rows: list[int]
    skipped: list[int] = field(default_factory=list)
    failures: list[tuple[int, str]] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    sha256: str = ""
    tiles: str = ""
    contents: list[tuple[int, str]] = field(default_factory=list)


class WorkFolder:
    """Shards of an unfinished build. Made by `open_work`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def final(self) -> Path:
        """Where the index folder is put together before it is published."""
        return self.path / "final"

    def report(self, shard: int) -> ShardReport | None:
        """The report of a finished shard, or None where it is not done or its vectors are not whole."""
        try:
            content = json.loads(self._report_path(shard).read_bytes())
            content["failures"] = [(row, reason) for row, reason in content["failures"]]
            content["contents"] = [(size, digest) for size, digest in content["contents"]]
            report = ShardReport(**content)
            whole = sha256_file(self._vectors_path(shard)) == report.sha256
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return report if whole else None

    def vectors(self, shard: int) -> NDArray[np.float16]:
        """float16 [rows, D] of a finished shard."""
        vectors: NDArray[np.float16] = np.load(self._vectors_path(shard), allow_pickle=False)
        return vectors

    def write(self, shard: int, vectors: NDArray[np.float16], report: ShardReport) -> None:
        """Store a finished shard."""
        buffer = io.BytesIO()  # np.save to a file hides the reason of a failed write
        np.save(buffer, vectors, allow_pickle=False)
        data = buffer.getvalue()
        with staged_file(self._vectors_path(shard)) as staged:
            staged.write_bytes(data)
        write_json(self._report_path(shard), asdict(report) | {"sha256": sha256_bytes(data)})

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.path)

    def _vectors_path(self, shard: int) -> Path:
        return self.path / f"shard-{shard:06d}.npy"

    def _report_path(self, shard: int) -> Path:
        return self.path / f"shard-{shard:06d}.json"


@contextmanager
def open_work(out: Path, identity: dict[str, Any], *, restart: bool) -> Iterator[WorkFolder]:
    """The work folder of an output, locked, new or with the shards of a killed build of the same identity.

    Args:
        out: the index folder to be.
        identity: what both builds must agree on.
        restart: discard an unfinished build of whatever identity.

    Raises:
        BuildConflict: an unfinished build differs, or one is running.
    """
    path = out.with_name(f".{out.name}.partial")
    path.mkdir(parents=True, exist_ok=True)
    with (path / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildConflict(f"another build is writing {out} (it holds {path / _LOCK}); wait for it") from None
        if restart:
            _empty(path)
        _settle_identity(path, json.loads(canonical_json(identity)))
        yield WorkFolder(path)


def _settle_identity(path: Path, identity: dict[str, Any]) -> None:
    stored = path / _IDENTITY
    if not stored.exists():
        _empty(path)  # killed before it had an identity
        write_json(stored, identity)
        return
    try:
        before = json.loads(stored.read_bytes())
    except ValueError:
        before = {}
    changed = [f"{key}: {before.get(key)} -> {value}" for key, value in identity.items() if before.get(key) != value]
    if changed:
        raise BuildConflict(
            f"{path} holds an unfinished build that differs from this one ({'; '.join(changed)}); repeat the first "
            "command to resume it, or add --restart to discard it"
        )


def _empty(path: Path) -> None:
    for child in path.iterdir():
        if child.name == _LOCK:
            continue
        if child.is_dir():
            shutil.rmtree(child)
        else:
            child.unlink()
