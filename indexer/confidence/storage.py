"""How a calibration lies in an index folder: `calibration.json` and the reliability diagram that it names.

Neither file is part of the index's identity: calibrating changes no digest. The diagram's name holds its digest, so a
new calibration is one replaced file: killed at any point, the folder has the old calibration or the new one, whole.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexer.common.errors import BadCalibration, IndexDamaged
from indexer.confidence.calibration import Calibration
from indexer.index.manifest import FileEntry, Manifest
from model.common.atomic_io import canonical_json, read_json, sha256_bytes, staged_file, write_json

__all__ = ["CALIBRATION", "FORMAT_VERSION", "load_calibration", "read_calibration", "write_calibration"]

logger = logging.getLogger(__name__)

CALIBRATION = "calibration.json"
FORMAT = "clnet-geolocalization calibration"
FORMAT_VERSION = 2
_DIGITS = 12
"""Of a diagram's digest, in its name."""
_DIAGRAMS = f"calibration-{'[0-9a-f]' * _DIGITS}.png"


def write_calibration(folder: Path, calibration: Calibration, diagram: bytes) -> None:
    """Put a calibration into an index folder; one that is there is replaced, others wait meanwhile."""
    with _locked(folder):
        picture = folder / f"calibration-{sha256_bytes(diagram)[:_DIGITS]}.png"
        with staged_file(picture) as staged:
            staged.write_bytes(diagram)
        content = {"format": FORMAT, "version": FORMAT_VERSION} | calibration.as_json()
        content["files"] = {picture.name: asdict(FileEntry.of(picture))}
        write_json(folder / CALIBRATION, content | {"digest": sha256_bytes(canonical_json(content))})
        for other in folder.glob(_DIAGRAMS):
            if other != picture:
                other.unlink()


def read_calibration(folder: Path, manifest: Manifest) -> Calibration | None:
    """The calibration of an index, or None where it has none.

    Raises:
        BadCalibration: it is damaged, of another format version, or made for another encoder or index.
    """
    path = folder / CALIBRATION
    while (seen := _version(path)) is not None:
        try:
            return _read(path, manifest)
        except BadCalibration:
            if _version(path) == seen:  # otherwise it was replaced meanwhile, and its diagram with it
                raise
    return None


def load_calibration(folder: Path, manifest: Manifest) -> Calibration | None:
    """The calibration of an index; one that cannot be used is left out with a warning, as is said of none."""
    try:
        return read_calibration(folder, manifest)
    except BadCalibration as error:
        logger.warning("answers carry no confidence: %s", error)
        return None


def _version(path: Path) -> tuple[int, int] | None:
    """Which file lies there now, if any."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns


def _read(path: Path, manifest: Manifest) -> Calibration:
    content = _checked(path)
    if (made_for := content.get("encoder")) != manifest.encoder["digest"]:
        raise _misfit(path, "encoder", made_for, manifest.encoder["digest"])
    if (made_for := content.get("index")) != manifest.digest:
        raise _misfit(path, "index", made_for, manifest.digest)
    try:
        ((diagram, entry),) = content.pop("files").items()
        drawn = FileEntry(**entry)
        calibration = Calibration.from_json(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"is not whole: {error}") from error
    _check_diagram(path, drawn, path.with_name(diagram))
    return calibration


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps other writers out; ends with its process."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: then nobody waits
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check_diagram(path: Path, entry: FileEntry, diagram: Path) -> None:
    try:
        entry.check(diagram)
    except (IndexDamaged, OSError, ValueError) as error:
        state = "is not the one that was drawn with it" if diagram.is_file() else "is missing"
        raise _damaged(path, f"names the diagram {diagram.name}, which {state}") from error


def _checked(path: Path) -> dict[str, Any]:
    """The content, its digest and its format checked and taken off."""
    try:
        content = read_json(path)
    except (ValueError, OSError) as error:
        raise _damaged(path, f"cannot be read: {error}") from error
    written = canonical_json(content)
    stated = content.pop("digest", None)
    form, version = content.pop("format", None), content.pop("version", None)
    if (form, version) != (FORMAT, FORMAT_VERSION):
        raise _damaged(path, f"is {form!r} of version {version!r}; this software reads version {FORMAT_VERSION}")
    if stated != sha256_bytes(canonical_json({"format": form, "version": version} | content)):
        raise _damaged(path, f"does not match its own digest {stated}")
    if path.read_bytes() != written:
        raise _damaged(path, "is not byte for byte what was written (cut off at its end?)")
    return content


def _damaged(path: Path, what: str) -> BadCalibration:
    return BadCalibration(f"{path} {what}. Make it again with `python -m indexer calibrate`, or remove it")


def _misfit(path: Path, kind: str, made_for: Any, found: str) -> BadCalibration:
    return _damaged(path, f"was made for another {kind} ({str(made_for)[:12]}; here it is {found[:12]})")
