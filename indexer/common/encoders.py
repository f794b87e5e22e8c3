"""What the indexer needs of an encoder; `model.network.encoder.Encoder` provides it, and so can a test's fake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from model.inputs.transforms import InputSpec

__all__ = ["EncoderIdentity", "QueryEncoder", "TileEncoder"]


class EncoderIdentity(Protocol):
    """Who made a vector: name, digest of the bundle, numeric family, and the vector's length."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def digest(self) -> str:
        """SHA-256 hex of the bundle; encoders of one digest and family give vectors that may be compared."""

    @property
    def dim(self) -> int:
        """Length of the vectors."""

    @property
    def numbers(self) -> str:
        """Numeric family of the vectors, "float" or "int8"; those of two families are not compared."""

    @property
    def inputs(self) -> InputSpec:
        """Sizes of the pictures it takes, and the anchors around which it describes a tile."""


class TileEncoder(EncoderIdentity, Protocol):
    """Turns satellite tiles into unit vectors."""

    def encode_satellite(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] of the specified size -> float32 [B, A * dim], unit vectors of `inputs.anchor_points`."""


class QueryEncoder(EncoderIdentity, Protocol):
    """Turns panoramas into unit vectors."""

    def encode_ground(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [B, H, W, 3] of the canvas size -> float32 [B, dim], unit length."""

    @property
    def sweeps(self) -> bool:
        """Whether it embeds a panorama at all headings at once, by `encode_headings`."""

    def encode_headings(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same canvases -> float32 [B, T, dim], at each of `model.inputs.heading_search.swept_turns`, nearly."""
