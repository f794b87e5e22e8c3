"""The exported networks of a bundle: found, and refused where they were changed or belong to other weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from model.common.atomic_io import sha256_file
from model.common.errors import BadCheckpoint
from model.inputs.specs import View
from model.network.bundle_files import EXPORTS, BundleInfo, read_exports, source_digest

__all__ = ["EXPORT_FILES", "SWEEP_FILE", "Exports", "Graph", "has_exports", "has_sweep", "require_exports"]

Graph = Literal["ground", "satellite", "headings"]
"""What is exported: one for each view, and the ground view at all headings at once."""
EXPORT_FILES: dict[View, str] = {"ground": "ground.onnx", "satellite": "satellite.onnx"}
"""The file of each view; their weights stay in the bundle's `weights.safetensors`."""
SWEEP_FILE = "headings.onnx"
"""The ground view at all headings at once; only networks have it that find as much by it."""


@dataclass(frozen=True)
class Exports:
    """Checked exports: the file of each graph, and the length of a vector."""

    paths: dict[Graph, Path]
    dim: int


_AGAIN = "run `python -m model export` again"


def has_exports(info: BundleInfo) -> bool:
    """Whether the bundle was exported."""
    return (info.folder / EXPORTS).is_file()


def has_sweep(info: BundleInfo) -> bool:
    """Whether its exports compute all headings at once."""
    return SWEEP_FILE in (read_exports(info.folder) or {"files": ()})["files"]


def require_exports(info: BundleInfo) -> Exports:
    """The exports of a bundle, every digest checked.

    Raises:
        BadCheckpoint: there are none, or they were changed, or were made from other weights.
    """
    content = read_exports(info.folder)
    if content is None:
        raise BadCheckpoint(
            f"{info.folder} was not exported, so only torch can run it; run `python -m model export --checkpoint "
            f"{info.folder}`, or choose the engine torch"
        )
    if content["made_from"] != source_digest(info.folder):
        raise BadCheckpoint(f"{info.folder / EXPORTS} belongs to other weights or another specification; {_AGAIN}")
    paths: dict[Graph, Path] = {view: info.folder / name for view, name in EXPORT_FILES.items()}
    if SWEEP_FILE in content["files"]:
        paths["headings"] = info.folder / SWEEP_FILE
    for path in paths.values():
        if not path.is_file():
            raise BadCheckpoint(f"{path} is missing; {_AGAIN}")
        if sha256_file(path) != content["files"].get(path.name):
            raise BadCheckpoint(f"{path} was changed since it was exported; {_AGAIN}")
    return Exports(paths, content["dim"])
