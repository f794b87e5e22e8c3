"""Depthwise convolutions whose backward pass is quick in bfloat16 on a CPU.

The library under torch computes some of their gradients by a reference loop there: those of five-by-five kernels, and
those of the input behind a stride. Both are put together here from convolutions that it computes well: a five-by-five
gradient of the weights from four of three by three, a stride from zeros between the positions.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["quicken_depthwise"]

_SMALL, _LARGE = 3, 5
"""Sides of the kernels that are quickened; a large one is covered by four small ones."""


def quicken_depthwise(net: nn.Module) -> int:
    """Let the depthwise convolutions of `net` find their gradients the quick way; returns how many do.

    The values are the same within rounding. It pays in bfloat16 on a CPU only: in float32 the library is quicker.
    """
    found = [module for module in net.modules() if isinstance(module, nn.Conv2d) and _fits(module)]
    for module in found:
        module.forward = partial(_forward, module)  # type: ignore[method-assign]
    return len(found)


def _fits(one: nn.Conv2d) -> bool:
    depthwise = one.groups == one.in_channels == one.out_channels > 1 and one.bias is None
    square = one.kernel_size in {(_SMALL, _SMALL), (_LARGE, _LARGE)} and one.stride in {(1, 1), (2, 2)}
    return depthwise and square and one.dilation == (1, 1) and one.padding_mode == "zeros"


def _forward(one: nn.Conv2d, features: Tensor) -> Tensor:
    stride, padded = one.stride[0], _padded(one, features)
    weight = one.weight
    if torch.is_autocast_enabled("cpu"):
        half = torch.get_autocast_dtype("cpu")
        padded, weight = padded.to(half), weight.to(half)
    found: Tensor = _Depthwise.apply(padded, weight, stride)
    return found


def _padded(one: nn.Conv2d, features: Tensor) -> Tensor:
    """Zeros around the features, as torch has them, or as TensorFlow does where the layer is one of timm's."""
    from timm.layers.conv2d_same import Conv2dSame

    sides: list[int] = []
    for axis in (1, 0):  # columns first, as `pad` wants them
        kernel, stride, length = one.kernel_size[axis], one.stride[axis], features.shape[2 + axis]
        if isinstance(one, Conv2dSame):
            total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
            sides += [total // 2, total - total // 2]
        elif isinstance(one.padding, str):
            total = kernel - 1 if one.padding == "same" else 0
            sides += [total // 2, total - total // 2]
        else:
            sides += [one.padding[axis]] * 2
    return F.pad(features, sides).contiguous(memory_format=torch.channels_last)


class _Depthwise(torch.autograd.Function):
    """A depthwise convolution without padding."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.stride = stride
        return F.conv2d(features, weight, stride=stride, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        features, weight = ctx.saved_tensors
        stride, kernel = ctx.stride, weight.shape[-1]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_features = of_weight = None
        if ctx.needs_input_grad[1] and kernel == _SMALL:
            of_weight = _of_weight(gradient, features, stride)
        if stride > 1:
            rows, columns = (length - kernel + 1 for length in features.shape[2:])
            gradient = _spread(gradient, stride, rows, columns)
        if ctx.needs_input_grad[0]:
            of_features = _gradients(gradient, features, weight, 1, (True, False, False))[0]
        if ctx.needs_input_grad[1] and kernel == _LARGE:
            of_weight = _of_large_weight(gradient, features)
        return of_features, of_weight, None


def _gradients(gradient: Tensor, features: Tensor, weight: Tensor, stride: int, wanted: tuple[bool, ...]) -> Any:
    return torch.ops.aten.convolution_backward(
        gradient, features, weight, None, [stride] * 2, [0, 0], [1, 1], False, [0, 0], len(weight), wanted
    )


def _of_weight(gradient: Tensor, features: Tensor, stride: int) -> Tensor:
    """Of a three-by-three kernel."""
    weight = features.new_empty(features.shape[1], 1, _SMALL, _SMALL)
    found: Tensor = _gradients(gradient, features, weight, stride, (False, True, False))[1]
    return found


def _of_large_weight(gradient: Tensor, features: Tensor) -> Tensor:
    """Of a five-by-five kernel: the same features, seen through four kernels of three by three, which overlap."""
    rows, columns = (length + _SMALL - 1 for length in gradient.shape[2:])
    weight = features.new_empty(features.shape[1], 1, _LARGE, _LARGE)
    for top in (0, _LARGE - _SMALL):
        for left in (0, _LARGE - _SMALL):
            seen = features[:, :, top : top + rows, left : left + columns]
            part = _of_weight(gradient, seen.contiguous(memory_format=torch.channels_last), 1)
            weight[:, :, top : top + _SMALL, left : left + _SMALL] = part
    return weight


def _spread(gradient: Tensor, stride: int, rows: int, columns: int) -> Tensor:
    """Zeros between the positions of a strided output, so that they stand where a stride of one would have them."""
    spread = gradient.new_zeros(*gradient.shape[:2], rows, columns).contiguous(memory_format=torch.channels_last)
    spread[:, :, ::stride, ::stride] = gradient
    return spread
