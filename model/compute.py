"""Which device and precision to compute in: one decision for training, evaluation and inference."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from model.errors import BadConfig

__all__ = ["autocast", "pick_device", "picks_bfloat16"]


def pick_device(name: str = "auto") -> torch.device:
    """`auto` is CUDA where there is one, else the CPU.

    Raises:
        BadConfig: no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise BadConfig(
            f"device {name!r} cannot be used here: {str(error).splitlines()[0]}; try auto or cpu"
        ) from error
    return device


def picks_bfloat16(device: torch.device, precision: str = "auto") -> bool:
    """Whether to run matrix products in bfloat16: asked for, or native to the processor."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def autocast(device: torch.device, *, bfloat16: bool) -> AbstractContextManager[object]:
    """One context for both precisions, so that no step is written twice."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)
