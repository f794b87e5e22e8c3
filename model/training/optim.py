"""Optimizers: which rule moves which weights, and how fast at each step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from timm.optim.muon import Muon
from torch import Tensor, nn
from torch.optim import Optimizer

from model.training.config import OptimSpec

__all__ = ["create_optimizers", "learning_rate", "set_learning_rate"]


_COLOURS = 3


def create_optimizers(net: nn.Module, optim: OptimSpec) -> list[Optimizer]:
    """AdamW for all weights; or Muon for the matrices of the layers, and AdamW for the rest.

    Matrices are the weights of linear layers and the kernels that mix channels, but for the stem's, which mixes
    colours. Muon's steps are scaled to the size of AdamW's, so both take one learning rate (arXiv 2502.16982). Weight
    decay is for matrices and kernels only, unless it is asked for everything.
    """
    # A map is a parameter of its own, not the weight of a layer: `maps.free.0`, or `maps.converted.0` without NEC.
    layers = [value for name, value in net.named_parameters() if value.ndim > 1 and name.endswith(".weight")]
    matrices = [value for value in layers if _mixes_channels(value)] if optim.optimizer == "muon" else []
    decayed = [value for value in layers if not _among(value, matrices)]
    rest = [value for value in net.parameters() if not _among(value, layers)]
    backbone = [value for name, value in net.named_parameters() if name.startswith("backbones.")]
    shared = partial(_by_share, backbone=backbone, share=optim.backbone_lr)
    groups: list[dict[str, Any]] = [
        *shared(decayed, weight_decay=optim.weight_decay),
        *shared(rest, weight_decay=optim.weight_decay if optim.decay_everything else 0.0),
    ]
    made: list[Optimizer] = [torch.optim.AdamW(groups, lr=optim.lr)]
    if matrices:
        turned = shared(matrices, use_muon=True)
        made.append(Muon(turned, lr=optim.lr, weight_decay=optim.weight_decay, nesterov=True))
    return made


def _by_share(
    values: Sequence[Tensor], *, backbone: Sequence[Tensor], share: float, **settings: Any
) -> list[dict[str, Any]]:
    """The weights that move, as one group; as two where the backbone's move slower than the others."""
    moving = [value for value in values if value.requires_grad]
    if share == 1.0:
        return [{"params": moving, **settings}]
    inside = [value for value in moving if _among(value, backbone)]
    outside = [value for value in moving if not _among(value, backbone)]
    return [{"params": outside, **settings}, {"params": inside, "share": share, **settings}]


def set_learning_rate(optimizers: list[Optimizer], lr: float) -> None:
    """The same for all, but for the share that the backbone has of it."""
    for group in _groups(optimizers):
        group["lr"] = lr * group.get("share", 1.0)


def learning_rate(step: int, optim: OptimSpec) -> float:
    """Linear warm-up to the peak, then half a cosine to zero."""
    if step < optim.warmup_steps:
        return optim.lr * (step + 1) / optim.warmup_steps
    progress = (step - optim.warmup_steps) / max(1, optim.steps - optim.warmup_steps)
    return optim.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _groups(optimizers: list[Optimizer]) -> Iterator[dict[str, Any]]:
    return (group for optimizer in optimizers for group in optimizer.param_groups)


def _mixes_channels(weight: torch.Tensor) -> bool:
    return weight.ndim == 2 or (weight.ndim == 4 and weight.shape[1] > _COLOURS)  # depthwise kernels have one


def _among(value: torch.Tensor, others: Sequence[torch.Tensor]) -> bool:
    return any(value is other for other in others)
