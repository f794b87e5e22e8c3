"""Resumable training state: weights, their average, optimizer moments and the loss's scale in one safetensors file.

It is written whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from timm.optim.muon import Muon
from torch import Tensor
from torch.amp import GradScaler
from torch.optim import Optimizer

from model.common.atomic_io import staged_file
from model.common.errors import BadCheckpoint, reason_of
from model.data.samplers import Order
from model.network.clnet import CLNet

__all__ = [
    "best_step",
    "forget_best",
    "keep_best",
    "load_best",
    "load_order",
    "load_scaler",
    "load_state",
    "newest_state",
    "save_state",
]

_PATTERN = "state-*.safetensors"
_FORMAT = 1
"""Version of a state's content; a state that names none has the first."""


def newest_state(folder: Path) -> Path | None:
    """The state with the most steps, None where there is none."""
    return max(folder.glob(_PATTERN), default=None)


def save_state(
    folder: Path,
    step: int,
    net: CLNet,
    optimizers: Sequence[Optimizer],
    average: CLNet | None = None,
    order: Order | None = None,
    *,
    scaler: GradScaler | None = None,
) -> Path:
    """Write the state after `step` steps, which followed `order`, then remove older ones."""
    order = order or Order()
    tensors = _tensors(net, optimizers, average)
    if order.table is not None:
        tensors["order.table"] = torch.from_numpy(order.table)
    notes: dict[str, Any] = {
        "format": _FORMAT,
        "step": step,
        "order.epoch": order.epoch,
        "order.step": order.step,
        "order.epochs": order.epochs,
    }
    if scaler is not None and scaler.is_enabled():
        notes["scaler"] = scaler.state_dict()
    path = folder / f"state-{step:08d}.safetensors"
    with staged_file(path) as staged:
        save_file(tensors, staged, metadata={name: json.dumps(value) for name, value in notes.items()})
    for old in folder.glob(_PATTERN):
        if old != path:
            old.unlink()
    return path


def load_state(path: Path, net: CLNet, optimizers: Sequence[Optimizer], average: CLNet | None = None) -> int:
    """Restore weights, moments and, where there is one, the average; returns the step they were saved after.

    Raises:
        BadCheckpoint: unreadable, of a later version, or of another architecture.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata()
            _require_format(path, json.loads(notes.get("format", str(_FORMAT))))
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            step = int(notes["step"])
        net.load_state_dict(_part(stored, "net."), strict=True)
        if average is not None:
            average.load_state_dict(_part(stored, "average."), strict=True)
        for name, value, optimizer in _owned(net, optimizers):
            optimizer.state[value] = {key: _placed(stored[f"{key}.{name}"], value) for key in _moments(optimizer)}
    except (OSError, SafetensorError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        raise BadCheckpoint(f"{path} cannot be resumed from; remove it to start again: {error}") from error
    return step


def _require_format(path: Path, found: object) -> None:
    if found != _FORMAT:
        raise BadCheckpoint(
            f"{path} has state format {found!r}; this version reads {_FORMAT}: update the package, or start the run in "
            "another folder"
        )


def _moments(optimizer: Optimizer) -> tuple[str, ...]:
    """What an optimizer remembers of each weight."""
    return ("momentum_buffer",) if isinstance(optimizer, Muon) else ("step", "exp_avg", "exp_avg_sq")


def _owned(net: CLNet, optimizers: Sequence[Optimizer]) -> Iterator[tuple[str, Tensor, Optimizer]]:
    """Every weight with its name and its optimizer."""
    names = {value: name for name, value in net.named_parameters()}
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            yield from ((names[value], value, optimizer) for value in group["params"])


def _placed(moment: Tensor, weight: Tensor) -> Tensor:
    """A moment where the optimizer would have made it: beside its weight, in the same layout; a count stays apart."""
    if moment.shape != weight.shape:
        return moment.clone()
    return torch.empty_like(weight, requires_grad=False).copy_(moment)


def load_order(path: Path) -> Order:
    """The order of pairs that the steps before a state followed.

    Raises:
        BadCheckpoint: unreadable.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = {name: json.loads(text) for name, text in file.metadata().items()}
            table = file.get_tensor("order.table").numpy() if "order.table" in file.keys() else None  # noqa: SIM118
        return Order(notes["order.epoch"], notes["order.step"], notes["order.epochs"], table)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadCheckpoint(f"{path} cannot be resumed from; remove it to start again: {error}") from error


def load_scaler(path: Path, scaler: GradScaler) -> None:
    """Give a loss scaler the factor that it had, where it is in use.

    Raises:
        BadCheckpoint: unreadable, or of a run without one.
    """
    if not scaler.is_enabled():
        return
    try:
        with safe_open(path, framework="pt") as file:
            scaler.load_state_dict(json.loads(file.metadata()["scaler"]))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadCheckpoint(f"{path} cannot be resumed from; remove it to start again: {error}") from error


def _part(stored: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)}


def _tensors(net: CLNet, optimizers: Sequence[Optimizer], average: CLNet | None) -> dict[str, Tensor]:
    tensors = {f"net.{name}": value for name, value in net.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for name, value, optimizer in _owned(net, optimizers):
        tensors |= {f"{key}.{name}": optimizer.state[value][key] for key in _moments(optimizer)}
    return {name: value.detach().contiguous().cpu() for name, value in tensors.items()}


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


def best_step(folder: Path) -> int:
    """The step at which the kept weights were reached.

    Raises:
        BadCheckpoint: they are not there, or unreadable.
    """
    return int(_notes(folder / _FILE)["step"])


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
            f"{path} cannot be read: {reason_of(error)}; "
            "set optim.keep_best to false in another folder, or start again there"
        ) from error
