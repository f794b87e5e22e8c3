"""The encoder: a loaded bundle that turns a batch of pictures of one view into unit vectors.

The two sides are independent. The correspondence maps are constants after training: they are folded at load, so the
converter costs nothing here. What computes is an engine: on a processor the bundle's exports in ONNX Runtime, which
need no torch; on a GPU, or for a bundle without exports, torch.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.common.errors import BadConfig
from model.inputs.anchors import around_anchors
from model.inputs.specs import View
from model.network.bundle_files import BundleInfo, read_bundle_info
from model.network.engines.choose import open_engine
from model.network.engines.engine import Engine

__all__ = ["Encoder"]


class Encoder:
    """Embeds satellite tiles and ground panoramas.

    Example:
        >>> encoder = Encoder.load("demo")  # doctest: +SKIP
        >>> width, height = encoder.inputs.ground_size_px  # doctest: +SKIP
        >>> encoder.encode_ground(np.zeros((1, height, width, 3), np.uint8)).shape  # doctest: +SKIP
        (1, 512)

    Attributes:
        name: of the bundle.
        digest: identity of the bundle; an index remembers which encoder made it.
        trained_on: the data set that the bundle was trained on, if it says so.
        ground_m: least and greatest side of the ground that its training tiles showed, if it says so.
        dim: length of a vector; a tile has one for each anchor.
        inputs: sizes that the pictures must have.
        numbers: numeric family of the vectors; an index remembers it too.
        engine: what computes.
    """

    def __init__(self, info: BundleInfo, engine: Engine, *, anchors: int | None = None) -> None:
        """`anchors` along each axis of a tile take the place of the bundle's."""
        self.name, self.digest, self.dim = info.name, info.digest, engine.dim
        self.inputs = info.inputs if anchors is None else replace(info.inputs, anchors=anchors)
        self.trained_on, self.ground_m = info.trained_on, info.ground_m
        self.numbers = engine.numbers
        self.engine = engine

    @classmethod
    def load(
        cls,
        bundle: str | Path,
        *,
        device: str = "auto",
        engine: str = "auto",
        precision: str = "auto",
        anchors: int | None = None,
        threads: int = 0,
    ) -> Encoder:
        """Load a bundle by path, or by the name of a packaged one (`demo`).

        Args:
            bundle: folder or name.
            device: auto, cpu, cuda, cuda:N or mps.
            engine: auto, onnxruntime, openvino or torch; auto is torch on a GPU and for a bundle without exports,
                else ONNX Runtime.
            precision: auto, float32, bfloat16 or float16; what an engine cannot do is an error.
            anchors: take the place of the bundle's along each axis of a tile; any number fits any network.
            threads: of one pass; 0 for what the engine does by itself.

        Raises:
            BadCheckpoint: not a bundle, damaged, or its weights or exports do not fit its spec.
            BadConfig: the device is not there, the engine cannot do this, or anchors is below 1.
            MissingExtra: the engine is not installed.
        """
        info = read_bundle_info(bundle)
        opened = open_engine(info, engine=engine, device=device, precision=precision, threads=threads)
        return cls(info, opened, anchors=anchors)

    def encode_satellite(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tiles uint8 [B, H, W, 3] of `inputs.satellite_px` -> float32 [B, A * dim], unit vectors of A anchors."""
        self._refuse_other("satellite", pixels, self.inputs.satellite_size_px)
        return around_anchors(pixels, self.inputs.anchor_points, lambda moved: self.engine.run(moved, "satellite"))

    def encode_ground(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """North-centred canvases uint8 [B, H, W, 3] of the input's size -> unit vectors float32 [B, dim]."""
        self._refuse_other("ground", pixels, self.inputs.ground_size_px)
        return self.engine.run(pixels, "ground")

    @property
    def sweeps(self) -> bool:
        """Whether it embeds a panorama at all headings at once."""
        return self.engine.sweeps

    def encode_headings(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Canvases uint8 [B, H, W, 3] -> float32 [B, T, dim] at each of `swept_turns`, if the encoder `sweeps`.

        They lie near the vectors that `encode_ground` gives of the turned canvases, near enough to find a heading by.
        """
        self._refuse_other("ground", pixels, self.inputs.ground_size_px)
        return self.engine.sweep(pixels)

    def _refuse_other(self, view: View, pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> None:
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (size_px[1], size_px[0], 3):
            raise BadConfig(
                f"the {view} side wants uint8 [B, {size_px[1]}, {size_px[0]}, 3], not {pixels.dtype} {pixels.shape}; "
                "use model.inputs.transforms"
            )
