"""Stages of a backbone that do not learn: what they know is general, and few pairs would only spoil it."""

from __future__ import annotations

from timm.models import group_parameters
from torch import nn

from model.common.errors import BadConfig
from model.network.clnet import CLNet

__all__ = ["freeze_stages", "rest_frozen_norms"]


def freeze_stages(net: CLNet, stages: int) -> None:
    """Keep the stem and so many stages of each backbone as they are.

    Raises:
        BadConfig: the backbone has fewer stages, or does not tell them apart.
    """
    if not stages:
        return
    for backbone in net.backbones.values():
        groups = _stages(backbone, net.spec.backbone)
        if stages >= (count := max(groups.values())):
            raise BadConfig(
                f"optim.frozen_stages is {stages} and {net.spec.backbone} has {count} stages in use; give less"
            )
        for name, value in backbone.named_parameters():
            value.requires_grad_(groups[name] > stages)


def rest_frozen_norms(net: nn.Module) -> None:
    """Hold the running statistics of norms whose weights are frozen; called after each `net.train()`."""
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and not any(
            value.requires_grad for value in module.parameters()
        ):
            module.eval()


def _stages(backbone: nn.Module, name: str) -> dict[str, int]:
    """The stage of each weight: 0 for the stem, then from 1."""
    matcher = getattr(backbone, "group_matcher", None)
    if matcher is None:
        raise BadConfig(f"{name} does not tell its stages apart in this timm; set optim.frozen_stages to 0")
    groups = group_parameters(backbone, matcher(coarse=True))
    return {weight: int(stage) for stage, weights in groups.items() for weight in weights}
