"""A panorama's vectors at many headings for the price of a few: its features are turned, not the panorama.

Turned by a level's stride, a panorama has that level's features turned by one position, if the layers read around the
circle instead of padding with zeros. So each level is computed once for every heading that its stride cannot reach:
with headings every 4 pixels, a level of stride 8 twice, one of 16 four times. The maps weigh the turned features as
they weigh any.

A network that was trained with zeros gives other vectors this way, though often near enough to find a heading by;
`model.evaluation.publish_exports` measures whether they are.
"""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.common.errors import BadConfig
from model.inputs.heading_search import swept_turns
from model.network.clnet import CLNet
from model.network.forward import normalise

__all__ = ["Sweep"]

_TOLERANCE = 1e-4
"""Between numbers of unit vectors that are the same but for the order of sums."""


class Sweep(nn.Module):
    """The ground side of a network, for all headings at once.

    Attributes:
        headings: how many, evenly spaced over the circle.
    """

    def __init__(self, net: CLNet) -> None:
        """Copy a network and close the circle of its ground side.

        Args:
            net: in evaluation mode, on the processor.

        Raises:
            BadConfig: its features cannot be turned: other layers than convolutions mix positions, or a stride does
                not divide the canvas.
        """
        super().__init__()
        if net.spec.flow or net.spec.conditioned:
            raise BadConfig("the maps change the features, or the features the maps, so neither turns alone")
        width, height = net.inputs.ground_size_px
        self.headings = len(swept_turns(width))
        self._width, self._step = width, width // self.headings
        self.net = copy.deepcopy(net)
        with torch.no_grad():
            for level, weight in enumerate(self.net.importance("ground")):
                self.register_buffer(f"folded_{level}", weight)
            key = "shared" if net.spec.share_weights else "ground"
            self.net.backbones[key] = _closed(self.net.backbones[key], net.spec.levels, (height, width), self._step)
            self._require_turning(height, width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Canvases uint8 [B, H, W, 3] -> unit vectors float32 [B, headings, dim], turn by turn from none."""
        features = self.net.features(normalise(pixels, self.net.inputs), "ground")
        pooled = [self._pool(feature, getattr(self, f"folded_{level}")) for level, feature in enumerate(features)]
        if self.net.gates is not None:
            pooled = [means * self.net.gate(level, means) for level, means in enumerate(pooled)]
        vectors = self.net.projection(self.net.norm(torch.cat(pooled, dim=2)))
        return F.normalize(vectors.float(), dim=2)

    def _pool(self, feature: Tensor, weight: Tensor | None) -> Tensor:
        """Of [B P, C, H, W], P phases of each canvas, the weighted means at all headings: [B, headings, M C]."""
        channels, rows, columns = feature.shape[1:]
        stride = self._width // columns
        phases = max(1, stride // self._step)
        turns = range(0, columns, max(1, self._step // stride))
        weights = (
            torch.ones(1, channels, rows, columns) if weight is None else weight.reshape(-1, channels, rows, columns)
        )
        turned = torch.stack([torch.roll(weights, -turn, -1) for turn in turns]) / (rows * columns)
        copies = feature.reshape(-1, phases, channels, rows, columns)
        return torch.einsum("bpchw,tmchw->btpmc", copies, turned).reshape(
            -1, self.headings, weights.shape[0] * channels
        )

    def _require_turning(self, height: int, width: int) -> None:
        canvas = torch.randint(0, 256, (1, height, width, 3), generator=torch.manual_seed(0), dtype=torch.uint8)
        try:
            vectors, of_turned = (self(torch.roll(canvas, turn, 2)) for turn in (0, self._step))
        except RuntimeError:  # a layer that counts the pictures itself
            vectors = of_turned = torch.full((1, 1, 1), torch.nan)
        if not (torch.roll(vectors, -1, 1) - of_turned).abs().max() < _TOLERANCE:
            raise BadConfig(f"the features of {self.net.spec.backbone} do not turn with the panorama")


class _Closed(nn.Module):
    """A convolution around the circle: left of the first column lies the last one.

    Where its stride is longer than a step between headings, it first turns its input through the steps in between; its
    output then has so many phases more, the batch being [B, phases].
    """

    def __init__(self, convolution: nn.Conv2d, size: tuple[int, int], step: int, stride: int) -> None:
        """`size` is that of the input (height, width), whose positions lie `stride` pixels of the canvas apart."""
        super().__init__()
        self.convolution = convolution
        self._rows, self._columns = (_padding(convolution, axis, length) for axis, length in enumerate(size))
        self._phases = max(1, stride // step)
        self._turn = max(1, step // stride)
        self._more = max(1, stride * convolution.stride[1] // step) // self._phases

    def forward(self, features: Tensor) -> Tensor:
        """[B P, C, H, W] -> [B P', C', H', W']."""
        if self._more > 1:
            shape = features.shape[1:]
            phases = features.reshape(-1, 1, self._phases, *shape)
            turned = [torch.roll(phases, number * self._turn, -1) for number in range(self._more)]
            features = torch.cat(turned, dim=1).reshape(-1, *shape)
        (left, right), width = self._columns, features.shape[-1]
        if left or right:
            repeated = torch.cat([features] * (1 + -(-left // width) + -(-right // width)), dim=-1)
            begin = -(-left // width) * width - left
            features = repeated[..., begin : begin + left + width + right]
        if any(self._rows):
            features = F.pad(features, (0, 0, *self._rows))
        one = self.convolution
        return F.conv2d(features, one.weight, one.bias, one.stride, 0, one.dilation, one.groups)


def _padding(convolution: nn.Conv2d, axis: int, length: int) -> tuple[int, int]:
    """Before and behind an axis; a layer of timm's that says none pads as TensorFlow does."""
    from timm.layers.conv2d_same import Conv2dSame

    kernel, stride, dilation = convolution.kernel_size[axis], convolution.stride[axis], convolution.dilation[axis]
    if isinstance(convolution, Conv2dSame):
        total = max((-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1 - length, 0)
        return total // 2, total - total // 2
    if isinstance(convolution.padding, str):
        raise BadConfig(f"a convolution pads by {convolution.padding!r}, whose circle cannot be closed")
    return convolution.padding[axis], convolution.padding[axis]


def _closed(backbone: Any, levels: tuple[int, ...], size: tuple[int, int], step: int) -> Any:
    """The backbone with every convolution closed."""
    seen: dict[str, tuple[int, int]] = {}

    def remember(name: str, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[name] = (inputs[0].shape[-2], inputs[0].shape[-1])

    convolutions = {name: one for name, one in backbone.named_modules() if isinstance(one, nn.Conv2d)}
    hooks = [one.register_forward_pre_hook(partial(remember, name)) for name, one in convolutions.items()]
    backbone.forward_intermediates(torch.zeros(1, 3, *size), indices=list(levels), intermediates_only=True)
    for hook in hooks:
        hook.remove()
    for name, at in seen.items():
        one = convolutions[name]
        stride = size[1] // at[1]
        if at[1] * stride != size[1] or at[1] % one.stride[1] or not math.log2(stride * one.stride[1]).is_integer():
            raise BadConfig(f"a canvas of {size[1]} columns is not a whole number of its network's strides")
        backbone.set_submodule(name, _Closed(one, at, step, stride))
    return backbone
