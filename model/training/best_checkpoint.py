"""The weights that found most on the validation pairs so far: one file in the run folder, beside the newest state."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from model.common.atomic_io import staged_file
from model.common.errors import BadCheckpoint
from model.network.clnet import CLNet

__all__ = ["forget_best", "keep_best", "load_best"]

_FILE = "best.safetensors"


def keep_best(folder: Path, net: CLNet, *, step: int, recall: float) -> None:
    """Keep these weights, if their recall, in percent, is above that of all that were offered before."""
    path = folder / _FILE
    if path.exists() and recall <= float(_notes(path)["recall"]):
        return
    tensors = {name: value.detach().contiguous().cpu() for name, value in net.state_dict().items()}
    with staged_file(path) as staged:
        save_file(tensors, staged, metadata={"step": str(step), "recall": repr(recall)})


def load_best(folder: Path, net: CLNet) -> int:
    """Give `net` the weights that were kept; returns the step that they were reached at.

    Raises:
        BadCheckpoint: they are not there, unreadable, or of another architecture.
    """
    path = folder / _FILE
    step = int(_notes(path)["step"])
    try:
        net.load_state_dict(load_file(path), strict=True)
    except RuntimeError as error:
        raise BadCheckpoint(f"{path} is of another network: {error}; start in another folder") from error
    return step


def forget_best(folder: Path) -> None:
    """Remove what an earlier run in this folder kept, if anything."""
    (folder / _FILE).unlink(missing_ok=True)


def _notes(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as file:
            notes: dict[str, str] = file.metadata()
            return notes
    except (OSError, SafetensorError) as error:
        raise BadCheckpoint(
            f"{path} cannot be read: {error}; set optim.keep_best to false in another folder, or start again there"
        ) from error
