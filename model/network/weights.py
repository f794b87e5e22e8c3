"""Tensors of a file, read without running anything that is in it, and checked against what a network wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from model.common.errors import BadCheckpoint

__all__ = ["load_exactly", "read_weights"]

_NAMED = 3
"""How many keys of a kind an error spells out."""


def read_weights(path: Path, *, remedy: str) -> dict[str, Tensor]:
    """The named tensors of a `.safetensors` file or of a PyTorch checkpoint, on the CPU.

    A PyTorch checkpoint is read with `weights_only`, so that nothing stored in it is executed.

    Args:
        path: the file.
        remedy: what an error tells the user to do.

    Raises:
        BadCheckpoint: no such file, not a checkpoint, or anything else in it than tensors by name.
    """
    try:
        tree = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # a file that is no checkpoint makes torch raise almost anything
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise BadCheckpoint(f"{path} cannot be read as weights: {reason}; {remedy}") from error
    if not isinstance(tree, dict):
        raise BadCheckpoint(f"{path} holds a {type(tree).__name__} where tensors by name are wanted; {remedy}")
    strange = [f"{key} ({type(value).__name__})" for key, value in tree.items() if not isinstance(value, Tensor)]
    if strange or not tree:
        raise BadCheckpoint(f"{path} holds no plain list of tensors but {_some(strange) or 'nothing'}; {remedy}")
    return {str(key): value for key, value in tree.items()}


def load_exactly(
    net: torch.nn.Module, weights: Mapping[str, Tensor], names: Mapping[str, str], *, source: str, remedy: str
) -> None:
    """Give a network all of its weights and refuse anything else.

    Args:
        net: the network.
        weights: tensors by the names they have in the file.
        names: for every key of the network's own state, its name in the file.
        source: what does not fit what, for the error: `FILE does not fit ITS SPEC`.
        remedy: what an error tells the user to do.

    Raises:
        BadCheckpoint: naming each missing, unknown or misshapen weight (the first three of a kind), or those with
            values that are not finite.
    """
    wanted = {names[key]: value.shape for key, value in net.state_dict().items()}
    common = [name for name in wanted if name in weights]
    faults = {
        "missing": [name for name in wanted if name not in weights],
        "unknown": [name for name in weights if name not in wanted],
        "of another shape": [
            f"{name} {tuple(weights[name].shape)} for {tuple(wanted[name])}"
            for name in common
            if weights[name].shape != wanted[name]
        ],
    }
    if any(faults.values()):
        told = "; ".join(f"{kind}: {_some(keys)}" for kind, keys in faults.items() if keys)
        raise BadCheckpoint(f"{source}: {told}; {remedy}")
    broken = [name for name in common if not bool(torch.isfinite(weights[name]).all())]
    if broken:
        raise BadCheckpoint(f"{source}: values that are not finite in {_some(broken)}; {remedy}")
    net.load_state_dict({key: weights[names[key]].float() for key in net.state_dict()}, strict=True)


def _some(keys: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(keys[:_NAMED]) + more
