"""From nothing to a folder that can be served: `python -m service up`.

An index that is there is used. Otherwise the user's tiles are indexed, or, where none are given, a synthetic demo
region is rendered and indexed. Each step is a public command in a process of its own, so its memory is gone when
the service starts, and an interrupted start goes on where it can.
"""

from __future__ import annotations

import hashlib
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from model.errors import BadConfig, GeoLocalizationError
from service.settings import UpSettings

__all__ = ["StepFailed", "index_folder", "plan", "prepare_index"]

logger = logging.getLogger(__name__)

_DEMO = "demo"
Command = list[str]


class StepFailed(GeoLocalizationError, RuntimeError):
    """A command that makes a region or an index ended with an error."""


def prepare_index(settings: UpSettings, *, run: Callable[[Sequence[str]], int] | None = None) -> Path:
    """The index to serve, made first where it is missing.

    Raises:
        BadConfig: the tiles that were named are not there.
        StepFailed: rendering or indexing failed; the command has said why.
    """
    for command in plan(settings):
        logger.info("running: python -m %s", " ".join(command))
        status = (run or _run_module)(command)
        if status != 0:
            raise StepFailed(f"`python -m {' '.join(command)}` ended with {status}; its own message above says why")
    return index_folder(settings)


def plan(settings: UpSettings) -> list[Command]:
    """The commands, each after `python -m`, that are still to run."""
    index = index_folder(settings)
    if (index / "manifest.json").is_file():
        return []
    build = ["indexer", "build", "--out", str(index), "--checkpoint", settings.checkpoint]
    if settings.zoom is not None:
        build += ["--zoom", str(settings.zoom)]
    if settings.tiles is not None:
        return [[*build, "--tiles", str(_checked(settings.tiles))]]
    region = settings.data / _DEMO / "region"
    commands = [[*build, "--tiles", str(region / "tiles")]]
    if not (region / "region.json").is_file():
        commands.insert(0, ["model", "render", "region", "--out", str(region), "--tiles", str(settings.demo_tiles)])
    return commands


def index_folder(settings: UpSettings) -> Path:
    """Where the index of these settings lies; different tiles never share one."""
    if settings.tiles is None:
        return settings.data / _DEMO / "index"
    name = settings.tiles_name or str(settings.tiles.resolve())
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[-40:]
    mark = hashlib.sha256(f"{name}|{settings.zoom}|{settings.checkpoint}".encode()).hexdigest()[:8]
    return settings.data / "indexes" / f"{slug}-{mark}"


def _checked(tiles: Path) -> Path:
    if not tiles.exists():
        raise BadConfig(f"--tiles is {tiles}, which does not exist; give a folder or archive of tiles")
    if tiles.is_dir() and next(tiles.iterdir(), None) is None:
        raise BadConfig(f"--tiles is {tiles}, which is empty; put tiles in it, or leave the setting out for the demo")
    return tiles


def _run_module(command: Sequence[str]) -> int:
    return subprocess.run([sys.executable, "-m", *command], check=False).returncode
