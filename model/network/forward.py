"""The forward pass in torch: from uint8 pictures to unit vectors, in training, evaluation and exports alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.common.devices import autocast
from model.inputs.anchors import around_anchors
from model.inputs.specs import View
from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet
from model.network.polar import unroll_tiles

__all__ = ["encode_batch", "encode_view", "normalise", "prepare"]


def normalise(pixels: Tensor, spec: InputSpec) -> Tensor:
    """uint8 [B, H, W, 3] -> float32 [B, 3, H, W], mean and standard deviation applied."""
    mean = torch.tensor(spec.mean, device=pixels.device) * 255.0
    scale = 1.0 / (torch.tensor(spec.std, device=pixels.device) * 255.0)
    return ((pixels.float() - mean) * scale).permute(0, 3, 1, 2).contiguous()


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

    def encode(moved: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = torch.from_numpy(np.ascontiguousarray(moved)).to(device)
        return encode_batch(net, batch, inputs, view, half=half, importance=importance).cpu().numpy()

    return encode(pixels) if view == "ground" else around_anchors(pixels, inputs.anchor_points, encode)


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
    with autocast(pixels.device, half):
        vectors: Tensor = net(prepare(pixels, inputs, view), view, importance)
    return vectors


def prepare(pixels: Tensor, inputs: InputSpec, view: View) -> Tensor:
    """uint8 [B, H, W, 3] -> what the network reads, float32 [B, 3, h, w]; polar tiles unrolled around their centres."""
    pictures = normalise(pixels, inputs)
    if view == "satellite" and inputs.polar:
        pictures = unroll_tiles(pictures, inputs.satellite_canvas_px)
    return pictures.contiguous(memory_format=torch.channels_last)
