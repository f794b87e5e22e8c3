"""The encoder: a loaded bundle that turns a batch of pictures of one view into unit vectors.

The two sides are independent. The correspondence maps are constants after training: they are folded at load, so the
converter costs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.common.devices import autocast, pick_device, pick_half
from model.common.errors import BadConfig
from model.inputs.anchors import anchor_px, recentre
from model.inputs.polar import unroll_tiles
from model.inputs.transforms import InputSpec, normalise
from model.network.checkpoints import Bundle, load_bundle
from model.network.clnet import CLNet, View

__all__ = ["Encoder", "encode_batch", "encode_view"]


class Encoder:
    """Embeds satellite tiles and ground panoramas.

    Example:
        >>> encoder = Encoder.load("demo")  # doctest: +SKIP
        >>> encoder.encode_satellite(np.zeros((1, 128, 128, 3), np.uint8)).shape  # doctest: +SKIP
        (1, 512)

    Attributes:
        name: of the bundle.
        digest: identity of the bundle; an index remembers which encoder made it.
        trained_on: the data set that the bundle was trained on, if it says so.
        ground_m: least and greatest side of the ground that its training tiles showed, if it says so.
        dim: length of a vector; a tile has one for each anchor.
        inputs: sizes that the pictures must have.
        device: where it computes.
    """

    def __init__(
        self, bundle: Bundle, *, device: torch.device, precision: str = "auto", anchors: int | None = None
    ) -> None:
        """Fold the maps and move the network to the device."""
        net: CLNet = bundle.net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.name, self.digest, self.dim = bundle.name, bundle.digest, net.dim
        self.inputs = net.inputs if anchors is None else replace(net.inputs, anchors=anchors)
        self.trained_on, self.ground_m = bundle.trained_on, bundle.ground_m
        self.device = device
        self._half = pick_half(device, precision)
        self._net = net
        with torch.no_grad():
            self._maps = {view: net.importance(view) for view in ("ground", "satellite")}

    @classmethod
    def load(
        cls, bundle: str | Path, *, device: str = "auto", precision: str = "auto", anchors: int | None = None
    ) -> Encoder:
        """Load a bundle by path, or by the name of a packaged one (`demo`).

        `anchors` along each axis of a tile take the place of the bundle's; any number fits any network.

        Raises:
            BadCheckpoint: not a bundle, damaged, or its weights do not fit its spec.
            BadConfig: the device is not there, or anchors is below 1.
        """
        return cls(load_bundle(bundle), device=pick_device(device), precision=precision, anchors=anchors)

    def encode_satellite(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tiles uint8 [B, H, W, 3] of `inputs.satellite_px` -> float32 [B, A * dim], unit vectors of A anchors."""
        return self._encode(pixels, "satellite", self.inputs.satellite_size_px)

    def encode_ground(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """North-centred canvases uint8 [B, H, W, 3] of the input's size -> unit vectors float32 [B, dim]."""
        return self._encode(pixels, "ground", self.inputs.ground_size_px)

    def _encode(self, pixels: NDArray[np.uint8], view: View, size_px: tuple[int, int]) -> NDArray[np.float32]:
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (size_px[1], size_px[0], 3):
            raise BadConfig(
                f"the {view} side wants uint8 [B, {size_px[1]}, {size_px[0]}, 3], not {pixels.dtype} {pixels.shape}; "
                "use model.inputs.transforms"
            )
        maps = self._maps[view]
        return encode_view(self._net, pixels, self.inputs, view, half=self._half, importance=maps)


@torch.inference_mode()
def encode_view(
    net: CLNet,
    pixels: NDArray[np.uint8],
    inputs: InputSpec,
    view: View,
    *,
    half: torch.dtype | None,
    importance: list[Tensor | None] | None = None,
) -> NDArray[np.float32]:
    """Pictures uint8 [B, H, W, 3] -> [B, dim]; of tiles [B, A * dim], the vectors of their A anchors in a row."""
    device = net.logit_scale.device
    points = [(0.0, 0.0)] if view == "ground" else inputs.anchor_points
    vectors = [
        encode_batch(
            net,
            torch.from_numpy(np.ascontiguousarray(moved)).to(device),
            inputs,
            view,
            half=half,
            importance=importance,
        )
        for moved in (recentre(pixels, *anchor_px(point, inputs.satellite_px)) for point in points)
    ]
    return torch.cat(vectors, dim=1).cpu().numpy()


def encode_batch(
    net: Callable[..., Tensor],
    pixels: Tensor,
    inputs: InputSpec,
    view: View,
    *,
    half: torch.dtype | None,
    importance: list[Tensor | None] | None = None,
) -> Tensor:
    """uint8 [B, H, W, 3] on the network's device -> unit vectors [B, dim], tiles around their centres only.

    The forward pass of training, too; `net` is a `CLNet`, or what it was compiled to.
    """
    pictures = normalise(pixels, inputs)
    if view == "satellite" and inputs.polar:
        pictures = unroll_tiles(pictures, inputs.satellite_canvas_px)
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    with autocast(pixels.device, half):
        vectors: Tensor = net(pictures, view, importance)
    return vectors
