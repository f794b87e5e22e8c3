"""What an engine offers, and the names by which one is asked for."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from model.inputs.specs import View

__all__ = ["Engine", "Numbers"]

Numbers = Literal["float", "int8"]
"""Numeric families: vectors of different engines may be compared within one, never across two."""


class Engine(Protocol):
    """The two networks of a bundle, ready to compute; several threads may call it."""

    @property
    def name(self) -> str:
        """`onnxruntime`, `openvino` or `torch`."""

    @property
    def precision(self) -> str:
        """What matrix products are computed in."""

    @property
    def numbers(self) -> Numbers:
        """The family of its vectors."""

    @property
    def accelerated(self) -> bool:
        """Whether it computes anywhere but on the processor."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def sweeps(self) -> bool:
        """Whether it computes all headings at once, by `sweep`."""

    def sweep(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Canvases uint8 [B, H, W, 3] -> unit vectors float32 [B, T, dim] at `swept_turns`."""

    def run(self, pixels: NDArray[np.uint8], view: View) -> NDArray[np.float32]:
        """Pictures uint8 [B, H, W, 3] of the view's size, B at least 1 -> unit vectors float32 [B, dim]."""
