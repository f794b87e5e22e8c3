"""Backbones from timm, whatever their family: cut down to the levels that are used, and their grids found out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import nn

from model.common.errors import BadConfig
from model.inputs.transforms import InputSpec
from model.network.pretrained import Pretrained, create_pretrained, pretrained_config

__all__ = ["Stride", "create_backbone", "find_strides", "save_memory"]

_ANY_SIZE: tuple[dict[str, Any], ...] = (
    {"dynamic_img_size": True, "dynamic_img_pad": True},
    {"strict_img_size": False},
)
"""How timm's families of one input size are told to take any."""


def create_backbone(
    name: str, levels: tuple[int, ...], pretrained: Pretrained | None = None
) -> tuple[Any, nn.LayerNorm | None]:
    """A timm model cut down to what the levels need.

    Args:
        name: timm's name of it, with a tag or without.
        levels: indices of the levels that are used, rising from 0.
        pretrained: weights to start from; random ones without.

    Returns:
        The model without its head; and the norm of the head, where the last level alone is used and has one.

    Raises:
        BadConfig: no such model, one without these levels, or one for pictures of one size only.
        BadCheckpoint: the weights are not this model's.
    """
    backbone = _created(name, pretrained)
    if not hasattr(backbone, "forward_intermediates") or not hasattr(backbone, "prune_intermediate_layers"):
        raise BadConfig(f"{name} offers no intermediate levels in this timm; choose another backbone")
    count = len(backbone.feature_info)
    if max(levels) >= count:
        raise BadConfig(f"levels {levels} ask for more than the {count} levels of {name}; count from 0")
    head_norm = _head_norm(backbone, levels)
    backbone.prune_intermediate_layers(list(levels), prune_norm=True, prune_head=True)
    backbone.head = nn.Identity()  # its norm would be a parameter that no gradient reaches
    return backbone, head_norm


def save_memory(backbone: Any, name: str) -> None:
    """Keep few activations for the backward pass, and compute the others again there (timm's checkpointing).

    Raises:
        BadConfig: this backbone cannot.
    """
    try:
        backbone.set_grad_checkpointing(True)
    except (AttributeError, AssertionError) as error:
        raise BadConfig(
            f"{name} cannot compute its activations again in this timm; set optim.checkpointing to false, "
            "and optim.chunk to what fits into memory"
        ) from error


def _created(name: str, pretrained: Pretrained | None) -> Any:
    fixed = pretrained_config(name).fixed_input_size
    # A transformer is made for one input size; here each view has its own, and is padded to whole patches.
    for options in _ANY_SIZE if fixed else ({},):
        try:
            if pretrained is not None:
                return create_pretrained(name, pretrained, **options)
            return timm.create_model(name, num_classes=0, **options)
        except TypeError:
            continue
    raise BadConfig(f"{name} takes pictures of one size only, and the two views have two; choose another backbone")


def _head_norm(backbone: Any, levels: tuple[int, ...]) -> nn.LayerNorm | None:
    """The norm that a ConvNeXt has behind the pooling of its last level, where that is the only one used."""
    own = getattr(getattr(backbone, "head", None), "norm", None)
    last = len(backbone.feature_info) - 1
    channels = backbone.feature_info[last]["num_chs"]
    if levels != (last,) or not isinstance(own, nn.LayerNorm) or own.normalized_shape != (channels,):
        return None
    norm = nn.LayerNorm(own.normalized_shape, eps=own.eps)
    norm.load_state_dict(own.state_dict())
    return norm


@dataclass(frozen=True)
class Stride:
    """How many pixels become one position of a level, and whether those that are left over become one more."""

    reduction: int
    drops_rest: bool

    def positions(self, pixels: int) -> int:
        """How many along a side of so many pixels."""
        return pixels // self.reduction if self.drops_rest else -(-pixels // self.reduction)


def find_strides(backbone: Any, levels: tuple[int, ...], inputs: InputSpec) -> list[Stride]:
    """The strides of the used levels; a tiny picture shows what becomes of the rest, where the inputs leave one.

    Raises:
        BadConfig: the backbone does not take pictures of these sizes.
    """
    reductions = [backbone.feature_info[level]["reduction"] for level in levels]
    unit_px = math.gcd(*inputs.ground_size_px, *inputs.satellite_canvas_px)
    if all(unit_px % reduction == 0 for reduction in reductions):
        return [Stride(reduction, True) for reduction in reductions]
    side_px = max(reductions) + unit_px  # leaves a rest wherever the inputs do
    try:
        with torch.no_grad():
            features = backbone.eval().forward_intermediates(
                torch.zeros(1, 3, side_px, side_px), indices=list(levels), intermediates_only=True
            )
    except (AssertionError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise BadConfig(
            f"the backbone does not take pictures of {inputs.satellite_px} or {inputs.ground_width_px} x "
            f"{inputs.ground_height_px} pixels ({reason}); give multiples of {max(reductions)}"
        ) from error
    backbone.train()
    return [
        Stride(reduction, feature.shape[2] == side_px // reduction)
        for reduction, feature in zip(reductions, features, strict=True)
    ]
