"""Libraries that only an extra brings: imported when they are needed, and named in one line where they are missing."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from model.common.errors import MissingExtra

__all__ = ["import_extra", "is_installed", "missing_library"]

_PROJECT = "clnet-geolocalization"
_EXTRA_OF = {
    **dict.fromkeys(("torch", "torchvision", "timm", "safetensors", "sklearn"), "train"),
    **dict.fromkeys(("onnx", "onnxscript", "tensorboard"), "train"),
    "openvino": "openvino",
    "rasterio": "geo",
    "pyogrio": "geo",
    "matplotlib": "plots",
}
"""Libraries that an extra brings; all others come with the project itself."""
_OWN = ("model", "indexer", "service", "clnet_geolocalization")


def is_installed(library: str) -> bool:
    """Whether a library can be imported, without importing it."""
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # of an import hook
        return False


def import_extra(library: str, wanted: str) -> Any:
    """A library.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise (missing_library(error, wanted) or error) from error


def missing_library(error: ModuleNotFoundError, wanted: str) -> MissingExtra | None:
    """The error that says what to install; None where a module of this project is missing, which is a fault of ours.

    Args:
        error: of an import.
        wanted: what the library was needed for.
    """
    library = (error.name or "").split(".")[0]
    if not library or library in _OWN:
        return None
    extra = f"[{_EXTRA_OF[library]}]" if library in _EXTRA_OF else ""
    what = f"'{_PROJECT}{extra}'" if extra else _PROJECT
    return MissingExtra(f"{wanted} needs {library}, which is not installed; run `pip install {what}`")
