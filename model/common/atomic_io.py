"""Artefact folders: written whole or not at all, digested, and explained by JSON.

A folder is made under a temporary name beside its final one, every file is fsynced, and one rename publishes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from model.common.errors import BadConfig, OutputExists
from model.common.plain_files import read_plain

__all__ = [
    "canonical_json",
    "parse_json",
    "publish",
    "read_json",
    "refuse_existing",
    "sha256_bytes",
    "sha256_file",
    "staged_file",
    "staged_folder",
    "sync_folder",
    "write_json",
]

_CHUNK_BYTES = 1 << 20


def canonical_json(value: Any) -> bytes:
    """JSON as bytes that depend on the value only: sorted keys, two-space indent, one closing newline."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds, such that `canonical_json` can write it again.

    Raises:
        OSError: the file cannot be read.
        ValueError: as `parse_json`.
    """
    return parse_json(read_plain(path, or_pipe=True))


def parse_json(data: bytes) -> dict[str, Any]:
    """The object that JSON text holds; for who wants its bytes, too, since a file may be replaced between two looks.

    Raises:
        ValueError: it is no JSON, no object, nested too deeply, or holds NaN, infinity or half a surrogate pair.
    """
    try:
        content = json.loads(data)
        canonical_json(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__} where an object is wanted")
    return content


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write canonical JSON, whole or not at all."""
    with staged_file(path) as staged:
        staged.write_bytes(canonical_json(value))


@contextmanager
def staged_file(target: Path) -> Iterator[Path]:
    """A name to write to; when the block ends well the file is fsynced and replaces `target`, else it vanishes.

    The name is always the same, so that one that was killed leaves nothing that the next does not overwrite: two
    writers of one file must keep each other out.

    Raises:
        OutputExists: `target` is a folder.
    """
    staged = target.with_name(f".{target.name}.tmp")
    try:
        yield staged
        _fsync(staged)
        staged.replace(target)
    except BaseException as error:
        staged.unlink(missing_ok=True)
        if isinstance(error, IsADirectoryError) and target.is_dir():
            raise OutputExists(f"{target} is a folder where a file is to be written; remove or rename it") from None
        raise


def sha256_bytes(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """An empty folder to fill; it becomes `target` when the block ends well and vanishes when it does not.

    Raises:
        OutputExists: `target` is already there.
        BadConfig: it would lie inside a file.
    """
    refuse_existing(target)
    # Not named by the process: in a restarted container the number of the one that was killed comes again.
    staged = target.with_name(f".{target.name}.tmp-{uuid.uuid4().hex[:12]}")
    target.parent.mkdir(parents=True, exist_ok=True)
    staged.mkdir()
    try:
        yield staged
        publish(staged, target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def publish(staged: Path, target: Path) -> None:
    """Fsync every file of `staged` and rename it to `target`.

    Raises:
        OutputExists: `target` is already there.
    """
    refuse_existing(target)
    for path in sorted(staged.rglob("*")):
        _fsync(path)
    _fsync(staged)
    staged.rename(target)
    _fsync(target.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that what was renamed in a folder stays so when the power goes."""
    _fsync(folder)


def refuse_existing(target: Path) -> None:
    """Make sure that an artefact would overwrite nothing, and that a folder for it can be made.

    Raises:
        OutputExists: `target` is already there.
        BadConfig: it would lie inside a file.
    """
    if target.exists():
        raise OutputExists(f"{target} exists already; choose another place, or remove it first")
    above = next((path for path in target.parents if path.exists()), None)
    if above is not None and not above.is_dir():
        raise BadConfig(f"{target} cannot be made, because {above} is a file and no folder; choose another place")


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
