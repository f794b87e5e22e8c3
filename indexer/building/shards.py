"""The work folder of a build: finished shards beside the output, from which a killed build resumes.

The report of a shard comes after its vectors and holds their digest, so a shard counts as done only when it is whole.
A lock keeps two builds apart and dies with its process.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BuildConflict
from indexer.index.manifest import EMBEDDINGS
from indexer.index.segment_writer import VECTORS_AT, VectorWriter, vectors_header
from model.common.atomic_io import canonical_json, sha256_bytes, staged_file, write_json

__all__ = ["ShardReport", "WorkFolder", "open_work", "work_path"]

_IDENTITY, _VECTORS = "build.json", "vectors"
_LOCK = "lock"


@dataclass(frozen=True)
class ShardReport:
    """What became of the tiles of one shard.

    Attributes:
        rows: rows of the plan that were embedded, ascending; one vector each.
        skipped: rows without data.
        failures: (row of the plan, reason), ascending.
        sizes: "width x height" of the pictures, and how many had it.
        sha256: of the vectors' bytes.
        offset: where they begin in the file of all vectors; 0 where they have a file of their own.
        size_bytes: of them.
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
    offset: int = 0
    size_bytes: int = 0


class WorkFolder:
    """Shards of an unfinished build. Made by `open_work`.

    The vectors of all shards lie in one file, which becomes that of the index without being copied where they lie in
    order in it. So no vector is on disk twice, unless a resumed build embeds a shard anew with fewer or more rows, or
    many processes write at once, each shard apart.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._regions: dict[int, tuple[int, int]] = {}

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
            self._regions[shard] = report.offset, report.size_bytes
            whole = sha256_bytes(self._read(shard)) == report.sha256
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return report if whole else None

    def finished(self) -> list[int]:
        """Numbers of the shards that have a report, which says nothing yet of what it is worth."""
        return sorted(int(path.stem.removeprefix("shard-")) for path in self.path.glob("shard-*.json"))

    def vectors(self, shard: int, rows: int) -> NDArray[np.float16]:
        """float16 [rows, A * D] of a finished shard."""
        numbers = np.frombuffer(self._read(shard), np.float16)
        return numbers.reshape(rows, -1) if rows else numbers.reshape(0, 0)

    def write(self, shard: int, vectors: NDArray[np.float16], report: ShardReport, *, apart: bool = False) -> None:
        """Store a finished shard: where it was before if it is as large, else behind all others.

        Args:
            shard: its number.
            vectors: float16 [rows, A * D].
            report: what became of its tiles.
            apart: into a file of its own, as other processes write, too.
        """
        data = np.ascontiguousarray(vectors).tobytes()
        offset = 0 if apart else self._place(shard, len(data))
        if apart:
            with staged_file(self._apart(shard)) as staged:
                staged.write_bytes(data)
        else:
            self._put(offset, data)
        self._regions[shard] = offset, len(data)
        stored = replace(report, sha256=sha256_bytes(data), offset=offset, size_bytes=len(data))
        with staged_file(self._report_path(shard)) as staged:
            staged.write_text(json.dumps(vars(stored)))  # neither copied in depth nor indented: it is long

    def _place(self, shard: int, length: int) -> int:
        """Where so many bytes of a shard go in the file of all."""
        offset, size = self._regions.get(shard, (0, 0))
        if offset and size == length:
            return offset
        return max((at + size for at, size in self._regions.values() if at), default=VECTORS_AT)

    def _put(self, offset: int, data: bytes) -> None:
        with self._vectors.open("r+b" if self._vectors.exists() else "wb") as file:
            file.seek(offset)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def gather(self, folder: Path, rows: Sequence[int], width: int) -> None:
        """Make `embeddings.npy` of the vectors of all shards.

        Args:
            folder: where to.
            rows: how many each shard has, in their order.
            width: length of a row.
        """
        shape = sum(rows), width
        if not self._in_order(shape):
            with VectorWriter(folder, shape) as writer:
                for shard, count in enumerate(rows):
                    writer.write(self.vectors(shard, count))
            return
        with self._vectors.open("r+b") as file:
            file.write(vectors_header(shape))
            file.truncate(VECTORS_AT + 2 * shape[0] * width)
            os.fsync(file.fileno())
        self._vectors.replace(folder / EMBEDDINGS)

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.path)

    def _in_order(self, shape: tuple[int, int]) -> bool:
        """Whether the shards lie one behind the other, from behind the header on."""
        at = VECTORS_AT
        for shard in range(len(self._regions)):
            offset, size = self._regions.get(shard, (0, 0))
            if size and offset != at:
                return False
            at += size
        return at == VECTORS_AT + 2 * shape[0] * shape[1] and len(vectors_header(shape)) == VECTORS_AT

    def _read(self, shard: int) -> bytes:
        offset, size = self._regions[shard]
        if not size:
            return b""
        if not offset:
            return self._apart(shard).read_bytes()
        with self._vectors.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def _apart(self, shard: int) -> Path:
        return self.path / f"shard-{shard:06d}.vectors"

    @property
    def _vectors(self) -> Path:
        return self.path / _VECTORS

    def _report_path(self, shard: int) -> Path:
        return self.path / f"shard-{shard:06d}.json"


def work_path(out: Path) -> Path:
    """Where the unfinished build of an output lies."""
    return out.with_name(f".{out.name}.partial")


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
    path = work_path(out)
    path.mkdir(parents=True, exist_ok=True)
    with (path / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildConflict(f"another build is writing {out} (it holds {path / _LOCK}); wait for it") from None
        if restart:
            _empty(path)
        _settle_identity(path, json.loads(canonical_json(identity)))
        work = WorkFolder(path)
        if (work.final / EMBEDDINGS).exists() and not (path / _VECTORS).exists():
            (work.final / EMBEDDINGS).replace(path / _VECTORS)  # killed while the index was put together
        yield work


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
