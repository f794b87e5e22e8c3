"""The running average of the weights, which is what is evaluated and published."""

from __future__ import annotations

import torch

from model.network.clnet import CLNet
from model.training.config import OptimSpec

__all__ = ["average_decay", "update_average"]


def average_decay(step: int, optim: OptimSpec) -> float:
    """How much of the average is kept after `step` earlier steps: little at first, when the weights still move far."""
    return min(optim.ema, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: CLNet, net: CLNet, decay: float) -> None:
    """Move the average's weights towards the network's; buffers are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1.0 - decay)
    for kept, present in zip(average.buffers(), net.buffers(), strict=True):
        kept.copy_(present)
