"""What was measured at the first start, kept for the next ones: a number for each question, in one file of the user.

A number is kept only where the machine was quiet while it was measured; what a busy machine says is used once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from model.common.atomic_io import canonical_json, read_json, sha256_bytes, write_json
from model.common.processors import available_processors

__all__ = ["measured_once", "memory_file"]

logger = logging.getLogger(__name__)

_LIBRARIES = ("onnxruntime", "openvino", "torch")
_BUSY = 0.75
"""Processes that wait for each processor: with more, a measurement says what others do."""
_DIGITS = 16


def memory_file() -> Path:
    """`layout.json` in the user's cache; removing it has everything measured again."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "clnet-geolocalization" / "layout.json"


def measured_once(what: str, about: Mapping[str, Any], measure: Callable[[], int]) -> int:
    """A number that depends on this machine: as remembered, or measured now.

    Args:
        what: the number's name.
        about: what it depends on besides the processors and the versions of the engines.
        measure: takes a second or so, and gives a number of at least one.
    """
    key = _key(what, about)
    known = _read().get(key)
    if isinstance(known, int) and known >= 1:
        return known
    busy = _waiting() > _BUSY * available_processors()
    number = measure()
    if busy:
        logger.info("the machine is busy, so %s will be measured again at the next start", what)
    else:
        _write(key, number)
    return number


def _waiting() -> float:
    """Processes that ran or waited to, on average over the last minute; of any user."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


def _key(what: str, about: Mapping[str, Any]) -> str:
    machine = {"processors": available_processors(), "processor": _processor()}
    versions = {name: _version(name) for name in _LIBRARIES}
    return f"{what} {sha256_bytes(canonical_json([dict(about), machine, versions]))[:_DIGITS]}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _read() -> dict[str, Any]:
    try:
        content = read_json(memory_file())
    except (OSError, ValueError, RuntimeError):  # no home
        return {}
    return content if isinstance(content, dict) else {}


def _write(key: str, number: int) -> None:
    try:
        path = memory_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, _read() | {key: number})
    except (OSError, RuntimeError) as error:
        logger.debug("what was measured is not remembered: %s", error)
