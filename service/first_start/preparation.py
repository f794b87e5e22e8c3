"""From nothing to a folder that can be served: `python -m service up`.

An index that is there is used. Otherwise the user's tiles are indexed, or, where none are given, a synthetic demo
region is rendered, indexed and calibrated. Each step is a public command in a process of its own, so its memory is
gone when the service starts, and an interrupted start goes on where it can.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from clnet_geolocalization import command as own_command
from model.common.errors import BadConfig, GeoLocalizationError
from model.network.bundle_files import bundle_digest
from service.first_start.sample_photos import lay_samples
from service.settings import UpSettings

__all__ = ["Preparation", "Process", "StepFailed", "discard_stale_demo", "index_folder", "plan", "samples_folder"]

logger = logging.getLogger(__name__)

_DEMO = "demo"
_CALIBRATION_PHOTOS = 150
"""From inside the demo region, and as many from elsewhere."""
_ELSEWHERE = "-48.8767,-123.2840"
"""Middle of the place that photos from outside the demo region are taken at, 8 km east of it in the same world."""
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
            if status != 0 and command[1] == "calibrate" and not self._stopped:
                logger.warning("`%s` ended with %d; the service starts without a confidence", text, status)
            elif status < 0 or self._stopped:
                raise StepFailed(f"`{text}` was stopped; start again to go on")
            elif status != 0:
                raise StepFailed(f"`{text}` ended with {status}; its own message says why")
        self.stage = ""
        if self._settings.tiles is None:
            lay_samples(self._settings.data / _DEMO)

    def stop(self) -> None:
        """End the running step and begin no other; a later start goes on where it can."""
        self._stopped = True
        if self._running is not None:
            self._running.terminate()


def plan(settings: UpSettings) -> list[Command]:
    """The commands, each after `python -m`, that are still to run."""
    index = index_folder(settings)
    built = (index / "manifest.json").is_file()
    if built and (settings.tiles is not None or (index / "calibration.json").is_file() or not _calibrates(settings)):
        return []
    build = ["indexer", "build", "--out", str(index), *_encoder_flags(settings)]
    if settings.zoom is not None:
        build += ["--zoom", str(settings.zoom)]
    if settings.tiles is not None:
        return [[*build, "--tiles", str(_checked(settings.tiles))]]
    return _plan_demo(settings, build)


def _plan_demo(settings: UpSettings, build: Command) -> list[Command]:
    """The demo's region and, where it is large enough, photos from elsewhere and a calibration on both."""
    region, elsewhere = (settings.data / _DEMO / name for name in ("region", "elsewhere"))
    index = index_folder(settings)
    render = ["model", "render", "region", "--out"]
    aside = ["--calibration", str(_CALIBRATION_PHOTOS)] if _calibrates(settings) else []
    commands = []
    if not region.is_dir():
        commands.append([*render, str(region), "--side", str(settings.demo_side), *aside])
    if aside and not elsewhere.is_dir():
        place = ["--centre", _ELSEWHERE, "--side", "16", "--panoramas", "4"]
        commands.append([*render, str(elsewhere), *place, *aside])
    if not (index / "manifest.json").is_file():
        commands.append([*build, "--tiles", str(region / "tiles")])
    if aside:
        queries = [str(folder / "calibration.csv") for folder in (region, elsewhere)]
        commands.append(
            ["indexer", "calibrate", "--index", str(index), "--queries", *queries, *_encoder_flags(settings)]
        )
    return commands


def _encoder_flags(settings: UpSettings) -> list[str]:
    return ["--checkpoint", settings.checkpoint, "--device", settings.device, "--engine", settings.engine]


def _calibrates(settings: UpSettings) -> bool:
    """Whether the demo region has photos set aside for a calibration or, before it is drawn, room for them."""
    region = settings.data / _DEMO / "region"
    if region.is_dir():  # of another side, perhaps: a demo that was made small stays without a confidence
        return (region / "calibration.csv").is_file()
    return settings.demo_side**2 >= 4 * _CALIBRATION_PHOTOS


def discard_stale_demo(settings: UpSettings) -> None:
    """Remove of the demo what another version made: its calibration, its index by another checkpoint, or all of it."""
    from indexer.confidence.storage import CALIBRATION, FORMAT_VERSION
    from model.synthetic.pair_set import WORLD_VERSION
    from model.synthetic.tile_region import REGION_VERSION

    if settings.tiles is not None:
        return
    for name in ("region", "elsewhere"):
        note = settings.data / _DEMO / name / "world.json"
        drawn_by = _value(note, "version"), _value(note, "region_version")
        if note.is_file() and drawn_by != (WORLD_VERSION, REGION_VERSION):
            logger.warning("%s was drawn by another version of this program; making the demo again", note.parent)
            shutil.rmtree(settings.data / _DEMO)
            return
    manifest = index_folder(settings) / "manifest.json"
    made_by = _value(manifest, "encoder", "digest")
    if made_by is None:
        return  # there is none, or it is damaged: opening it will say so
    if made_by != bundle_digest(settings.checkpoint):
        logger.warning("the demo index was made by another checkpoint; making it again")
        shutil.rmtree(manifest.parent)
    calibration = manifest.parent / CALIBRATION
    if _value(calibration, "version") not in (None, FORMAT_VERSION):
        logger.warning("the demo's calibration was made by another version; making it again")
        calibration.unlink()


def _value(path: Path, *keys: str) -> Any:
    """A value of a JSON file; None where the file, or the value, is not there."""
    try:
        found = json.loads(path.read_bytes())
        for key in keys:
            found = found[key]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def index_folder(settings: UpSettings) -> Path:
    """Where the index of these settings lies; different tiles, or checkpoints, never share one."""
    if settings.tiles is None:
        return settings.data / _DEMO / "index"
    name = settings.tiles_name or str(settings.tiles.resolve())
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[-40:]
    mark = hashlib.sha256(f"{name}|{settings.zoom}|{bundle_digest(settings.checkpoint)}".encode()).hexdigest()[:8]
    return settings.data / "indexes" / f"{slug}-{mark}"


def samples_folder(settings: UpSettings) -> Path | None:
    """Where photos to try lie: as stated; else the demo's, and none for the user's own tiles."""
    if settings.samples is not None or settings.tiles is not None:
        return settings.samples
    return settings.data / _DEMO / "samples"


def _checked(tiles: Path) -> Path:
    if not tiles.exists():
        raise BadConfig(f"--tiles is {tiles}, which does not exist; give a folder or archive of tiles")
    if tiles.is_dir() and next(tiles.iterdir(), None) is None:
        raise BadConfig(f"--tiles is {tiles}, which is empty; put tiles in it, or leave the setting out for the demo")
    return tiles


def _start_module(command: Sequence[str]) -> Process:
    return subprocess.Popen(own_command(*command))
