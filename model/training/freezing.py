"""What of a backbone stays as it started: its first levels, and the statistics of its norms."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from model.common.errors import BadConfig
from model.network.clnet import CLNet
from model.training.config import OptimSpec

__all__ = ["freeze_levels", "hold_norms", "refuse_shared_statistics"]

_BatchNorm = torch.nn.modules.batchnorm._BatchNorm


def freeze_levels(net: CLNet, count: int) -> None:
    """Let the backbones' first `count` levels, counted from the picture, take no gradient.

    Raises:
        BadConfig: there are fewer levels.
    """
    for backbone in net.backbones.values():
        _freeze(backbone, count, net.spec.backbone)


def _freeze(backbone: Any, count: int, name: str) -> None:
    levels = [info["module"] for info in backbone.feature_info]
    if count > len(levels):
        raise BadConfig(f"optim.frozen_levels is {count} and {name} has {len(levels)} levels; give at most these")
    parameters = list(backbone.named_parameters())
    within = [
        index for index, (key, _) in enumerate(parameters) if key.startswith(tuple(f"{m}." for m in levels[:count]))
    ]
    for _, value in parameters[: max(within, default=-1) + 1]:  # they are named in the order of the forward pass
        value.requires_grad_(False)


def hold_norms(net: CLNet) -> None:
    """Let every BatchNorm use the statistics that it has, in training too; to be called after `net.train()`."""
    for norm in _batch_norms(net):
        norm.eval()


def refuse_shared_statistics(net: CLNet, optim: OptimSpec) -> None:
    """Make sure that training normalises a view as the published network will.

    Raises:
        BadConfig: a BatchNorm that both views share would measure each view's batches in training, and have one set of
            statistics for both afterwards; that costs recall, silently.
    """
    if not optim.frozen_norms and net.spec.share_weights and _batch_norms(net):
        raise BadConfig(
            f"{net.spec.backbone} normalises over the batch and both views share it: trained on each view's batches, "
            "it would be published with one set of statistics for both; set optim.frozen_norms to true (with "
            "pretrained weights), or model.share_weights to false, or take a backbone without BatchNorm"
        )


def _batch_norms(net: nn.Module) -> list[nn.Module]:
    return [module for module in net.modules() if isinstance(module, _BatchNorm)]
