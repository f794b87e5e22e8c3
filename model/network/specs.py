"""Which encoder to load and where: the options that every command with an encoder has."""

from __future__ import annotations

from typing import Annotated, Literal

from model.common.flags import Option
from model.common.specs import spec

__all__ = ["DEFAULT_CHECKPOINT", "EncoderOptions"]

DEFAULT_CHECKPOINT = "street"
"""The packaged bundle that is used where nobody names one."""


@spec(kw_only=True)
class EncoderOptions:
    """Which encoder to load, and where.

    Attributes:
        checkpoint: a bundle's folder, or the name of a packaged one.
        device: `auto`, or as PyTorch names it.
        engine: what computes, or `auto`.
    """

    checkpoint: Annotated[str, Option("encoder: a bundle folder, or the name of a packaged one", "BUNDLE")] = (
        DEFAULT_CHECKPOINT
    )
    device: Annotated[str, Option("where the encoder runs: auto, cpu, cuda, cuda:N or mps", "DEVICE")] = "auto"
    engine: Annotated[
        Literal["auto", "onnxruntime", "openvino", "torch"],
        Option("what computes; auto: torch on a GPU and for a bundle that was not exported, else ONNX Runtime"),
    ] = "auto"
