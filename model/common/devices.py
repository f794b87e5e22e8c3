"""Which device and precision to compute in: one decision for training, evaluation and inference."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from model.common.errors import BadConfig

__all__ = ["PRECISIONS", "autocast", "pick_device", "pick_half"]

PRECISIONS = ("auto", "bfloat16", "float16", "float32")
"""What matrix products may be computed in; auto is bfloat16 where the processor has it, else float32."""


def pick_device(name: str = "auto") -> torch.device:
    """`auto` is CUDA where there is one, else the CPU.

    Raises:
        BadConfig: no such device here, or one that nothing here computes on.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in (present := _present_devices()):
        raise BadConfig(f"device {name!r} cannot be used here; choose auto, {', '.join(present)}")
    device = torch.device(name)
    try:
        torch.zeros(1, device=device)
    except RuntimeError as error:  # it is there, and full, or out of order
        raise BadConfig(
            f"device {name!r} cannot be used here: {str(error).splitlines()[0]}; try auto or cpu"
        ) from error
    return device


def _present_devices() -> list[str]:
    names = ["cpu"]
    if torch.cuda.is_available():
        names += ["cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def pick_half(device: torch.device, precision: str = "auto") -> torch.dtype | None:
    """The type of half the length for matrix products, one of `PRECISIONS`; None for float32."""
    if precision == "float16":
        return torch.float16
    if precision == "bfloat16" or (precision == "auto" and _has_bfloat16(device)):
        return torch.bfloat16
    return None


def autocast(device: torch.device, half: torch.dtype | None) -> AbstractContextManager[object]:
    """One context for all precisions, so that no step is written twice."""
    return torch.autocast(device.type, half or torch.bfloat16, enabled=half is not None)


def _has_bfloat16(device: torch.device) -> bool:
    """Whether the processor computes in it natively."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
