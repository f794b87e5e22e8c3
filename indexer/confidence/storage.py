"""How calibrations lie in an index folder: `calibration.json` and the reliability diagrams that it names, if any.

None of the files is part of the index's identity: calibrating changes no digest. A diagram's name holds its digest, so
a new calibration is one replaced file: killed at any point, the folder has the old ones or the new ones, whole.
Version 2 of the file, which held one calibration, is still read.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexer.common.errors import BadCalibration, IndexDamaged
from indexer.confidence.calibration import Calibration, Calibrations
from indexer.index.index_manifest import IndexManifest
from indexer.index.manifest import FileEntry
from model.common.atomic_io import canonical_json, parse_json, sha256_bytes, staged_file, write_json

__all__ = ["CALIBRATION", "FORMAT_VERSION", "load_calibrations", "read_calibrations", "write_calibration"]

logger = logging.getLogger(__name__)

CALIBRATION = "calibration.json"
FORMAT = "clnet-geolocalization calibration"
FORMAT_VERSION = 3
_OLD_VERSION = 2
_DIGITS = 12
"""Of a diagram's digest, in its name."""
_DIAGRAMS = f"calibration-{'[0-9a-f]' * _DIGITS}.png"


@dataclass(frozen=True)
class _Stored:
    """A calibration, and its diagram as it lies in the folder, if one was drawn."""

    calibration: Calibration
    diagram: tuple[str, FileEntry] | None

    def as_json(self) -> dict[str, Any]:
        """As it stands among the others."""
        return self.calibration.as_json() | ({} if self.diagram is None else {"diagram": self.diagram[0]})


def write_calibration(folder: Path, calibration: Calibration, diagram: bytes | None) -> None:
    """Put a calibration into an index folder; it replaces those for the same questions, other writers wait meanwhile.

    Calibrations for another encoder or index, and a damaged file, are replaced as a whole.

    Args:
        folder: of the index.
        calibration: the new one.
        diagram: a PNG; None where none was drawn.
    """
    with _locked(folder):
        stored = {one.calibration: one for one in _of_same_index(folder, calibration)}
        stored[calibration] = _Stored(calibration, None if diagram is None else _write_diagram(folder, diagram))
        kept = [stored[one] for one in Calibrations(tuple(stored)).with_one(calibration).each]
        files = {one.diagram[0]: asdict(one.diagram[1]) for one in kept if one.diagram is not None}
        content = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "calibrations": [one.as_json() for one in kept],
            "files": files,
        }
        write_json(folder / CALIBRATION, content | {"digest": sha256_bytes(canonical_json(content))})
        for other in folder.glob(_DIAGRAMS):
            if other.name not in files:
                other.unlink()


def _write_diagram(folder: Path, diagram: bytes) -> tuple[str, FileEntry]:
    picture = folder / f"calibration-{sha256_bytes(diagram)[:_DIGITS]}.png"
    with staged_file(picture) as staged:
        staged.write_bytes(diagram)
    return picture.name, FileEntry.of(picture)


def read_calibrations(folder: Path, manifest: IndexManifest) -> Calibrations:
    """The calibrations of an index; perhaps none.

    Raises:
        BadCalibration: they are damaged, of a later format version, or made for another encoder or index.
    """
    path = folder / CALIBRATION
    while (seen := _version(path)) is not None:
        try:
            return Calibrations(
                tuple(one.calibration for one in _read(path, manifest.encoder["digest"], manifest.digest))
            )
        except BadCalibration:
            if _version(path) == seen:  # otherwise it was replaced meanwhile, and its diagrams with it
                raise
    return Calibrations()


def load_calibrations(folder: Path, manifest: IndexManifest) -> Calibrations:
    """The calibrations of an index; what cannot be used is left out with a warning."""
    try:
        return read_calibrations(folder, manifest)
    except BadCalibration as error:
        logger.warning("answers carry no confidence: %s", error)
        return Calibrations()


def _of_same_index(folder: Path, calibration: Calibration) -> list[_Stored]:
    """What lies there and can stay beside a new calibration."""
    path = folder / CALIBRATION
    try:
        return _read(path, calibration.encoder, calibration.index) if path.is_file() else []
    except BadCalibration:
        return []


def _version(path: Path) -> tuple[int, int] | None:
    """Which file lies there now, if any."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns


def _read(path: Path, encoder: str, index: str) -> list[_Stored]:
    content = _checked(path)
    try:
        files = {name: FileEntry(**entry) for name, entry in content["files"].items()}
        stored = [_stored(one, files) for one in content["calibrations"]]
        if (named := {one.diagram[0] for one in stored if one.diagram is not None}) != files.keys():
            raise ValueError(f"its calibrations name {len(named)} of {len(files)} diagrams")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"is not whole: {error}") from error
    for one in stored:
        if one.calibration.encoder != encoder:
            raise _misfit(path, "encoder", one.calibration.encoder, encoder)
        if one.calibration.index != index:
            raise _misfit(path, "index", one.calibration.index, index)
        if one.diagram is not None:
            _check_diagram(path, one.diagram[1], path.with_name(one.diagram[0]))
    return stored


def _stored(content: dict[str, Any], files: Mapping[str, FileEntry]) -> _Stored:
    values = dict(content)
    diagram = values.pop("diagram", None)
    return _Stored(Calibration.from_json(values), None if diagram is None else (diagram, files[diagram]))


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
    """The content of the present format, its digest checked and taken off."""
    try:
        data = path.read_bytes()
        content = parse_json(data)
    except (ValueError, OSError) as error:
        raise _damaged(path, f"cannot be read: {error}") from error
    written = canonical_json(content)
    stated = content.pop("digest", None)
    form, version = content.get("format"), content.get("version")
    if form != FORMAT or version not in (FORMAT_VERSION, _OLD_VERSION):
        what = (
            f"is {form!r} of version {version!r}; this software reads the versions {_OLD_VERSION} and {FORMAT_VERSION}"
        )
        if form == FORMAT and isinstance(version, int) and version > FORMAT_VERSION:
            what += ", so a later one wrote it. Update the package"
        raise _damaged(path, what)
    if stated != sha256_bytes(canonical_json(content)):
        raise _damaged(path, f"does not match its own digest {stated}")
    if data != written:
        raise _damaged(path, "is not byte for byte what was written (cut off at its end?)")
    return content if version == FORMAT_VERSION else _of_old_format(path, content)


def _of_old_format(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """One calibration, its values beside the format, and one file."""
    one = {name: value for name, value in content.items() if name not in ("format", "version", "files")}
    try:
        (diagram,) = content["files"]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"is not whole: {error}") from error
    return {"calibrations": [one | {"diagram": diagram}], "files": content["files"]}


def _damaged(path: Path, what: str) -> BadCalibration:
    return BadCalibration(f"{path} {what}. Make it again with `python -m indexer calibrate`, or remove it")


def _misfit(path: Path, kind: str, made_for: Any, found: str) -> BadCalibration:
    return _damaged(path, f"was made for another {kind} ({str(made_for)[:12]}; here it is {found[:12]})")
