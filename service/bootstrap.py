"""From nothing to a folder that can be served: `python -m service up`.

An index that is there is used. Otherwise the user's tiles are indexed, or, where none are given, a synthetic demo
region is rendered and indexed. Each step is a public command in a process of its own, so its memory is gone when
the service starts, and an interrupted start goes on where it can.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from model.bundle import bundle_digest
from model.errors import BadConfig, GeoLocalizationError
from service.settings import UpSettings

__all__ = ["Preparation", "Process", "StepFailed", "discard_stale_demo", "index_folder", "plan"]

logger = logging.getLogger(__name__)

_DEMO = "demo"
Command = list[str]


class Process(Protocol):
    """A step that runs."""

    def wait(self) -> int:
        """Wait for its end; its exit status."""

    def terminate(self) -> None:
        """Ask it to end."""


class StepFailed(GeoLocalizationError, RuntimeError):
    """A command that makes a region or an index ended with an error."""


class Preparation:
    """Runs the steps that are still needed before an index can be served.

    Example:
        >>> Preparation(UpSettings(data=Path("clnet-data"))).run()  # doctest: +SKIP
    """

    def __init__(self, settings: UpSettings, *, start: Callable[[Sequence[str]], Process] | None = None) -> None:
        self._settings = settings
        self._start = start or _start_module
        self._running: Process | None = None
        self._stopped = False
        self.stage = ""

    def run(self) -> None:
        """Run the steps one after the other.

        Raises:
            BadConfig: the tiles that were named are not there.
            StepFailed: a step failed, or was stopped; it has said why on stderr.
        """
        (self._settings.data / "tmp").mkdir(parents=True, exist_ok=True)  # the container's TMPDIR, for uploads
        discard_stale_demo(self._settings)
        for command in plan(self._settings):
            text = f"python -m {' '.join(command)}"
            logger.info("running: %s", text)
            self.stage = f"`{text}` is running"
            self._running = self._start(command)
            if self._stopped:
                self._running.terminate()
            status = self._running.wait()
            if status != 0:
                raise StepFailed(f"`{text}` ended with {status}; its own message says why")
        self.stage = ""

    def stop(self) -> None:
        """End the running step and begin no other; a later start goes on where it can."""
        self._stopped = True
        if self._running is not None:
            self._running.terminate()


def plan(settings: UpSettings) -> list[Command]:
    """The commands, each after `python -m`, that are still to run."""
    index = index_folder(settings)
    if (index / "manifest.json").is_file():
        return []
    build = ["indexer", "build", "--out", str(index), "--checkpoint", settings.checkpoint, "--device", settings.device]
    if settings.zoom is not None:
        build += ["--zoom", str(settings.zoom)]
    if settings.tiles is not None:
        return [[*build, "--tiles", str(_checked(settings.tiles))]]
    region = settings.data / _DEMO / "region"
    commands = [[*build, "--tiles", str(region / "tiles")]]
    if not region.is_dir():
        commands.insert(0, ["model", "render", "region", "--out", str(region), "--side", str(settings.demo_side)])
    return commands


def discard_stale_demo(settings: UpSettings) -> None:
    """Remove the demo's own index where another checkpoint made it, as after an upgrade; it is soon made again."""
    manifest = index_folder(settings) / "manifest.json"
    if settings.tiles is not None or not manifest.is_file():
        return
    try:
        made_by = json.loads(manifest.read_bytes())["encoder"]["digest"]
    except (ValueError, KeyError, TypeError):
        return  # damaged: opening it will say so
    if made_by != bundle_digest(settings.checkpoint):
        logger.info("the demo index was made by another checkpoint; making it again")
        shutil.rmtree(manifest.parent)


def index_folder(settings: UpSettings) -> Path:
    """Where the index of these settings lies; different tiles, or checkpoints, never share one."""
    if settings.tiles is None:
        return settings.data / _DEMO / "index"
    name = settings.tiles_name or str(settings.tiles.resolve())
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[-40:]
    mark = hashlib.sha256(f"{name}|{settings.zoom}|{bundle_digest(settings.checkpoint)}".encode()).hexdigest()[:8]
    return settings.data / "indexes" / f"{slug}-{mark}"


def _checked(tiles: Path) -> Path:
    if not tiles.exists():
        raise BadConfig(f"--tiles is {tiles}, which does not exist; give a folder or archive of tiles")
    if tiles.is_dir() and next(tiles.iterdir(), None) is None:
        raise BadConfig(f"--tiles is {tiles}, which is empty; put tiles in it, or leave the setting out for the demo")
    return tiles


def _start_module(command: Sequence[str]) -> Process:
    return subprocess.Popen([sys.executable, "-m", *command])
