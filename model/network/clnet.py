"""CLNet (arXiv 2512.14560) as this project reads it: the whole network in one file, in the order of the paper's figure.

    picture -> ConvNeXt levels F_l
    N_l  learnable map over one view's grid                     neural correspondence map (NCM)
    N'_l = MLP over positions of N_l, on the other view's grid  nonlinear embedding converter (NEC)
    F'_l = F_l + F_l * norm(N_l)                                global feature recalibration (GFR)
    descriptor = L2(Linear(LayerNorm(concat_l mean_positions F'_l)))

The paper's code is not public; what it leaves open is a field of `CLNetSpec`: `flow`, `conditioned`, `gate`,
`nec_bound` and `plain_mean` are other readings of it. With the three modules off this is the ConvNeXt + InfoNCE
baseline of Sample4Geo (arXiv 2303.11851).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt
from torch import Tensor, nn

from model.common.errors import BadConfig
from model.common.specs import spec
from model.inputs.specs import VIEWS, View
from model.inputs.transforms import InputSpec
from model.network.backbones import Stride, create_backbone, find_strides
from model.network.pretrained import Pretrained

__all__ = ["CLNet", "CLNetSpec"]


@spec()
class CLNetSpec:
    """The architecture; stored in the checkpoint bundle.

    Attributes:
        backbone: name of a timm model.
        levels: indices of the backbone's levels that are used.
        dim: length of the descriptor; 0 leaves out the projection (the pooled features are the descriptor).
        share_weights: one backbone for both views.
        ncm: learn correspondence maps.
        nec: convert one view's map into the other's; without it each view has a free map of its own.
        gfr: normalise the map into an importance distribution; without it the raw map recalibrates.
        direction: which view owns the free map, as `ground-to-satellite` or `satellite-to-ground`.
        norm: how GFR normalises over positions: softmax, sigmoid or minmax, each scaled to mean one.
        maps: correspondence maps of a level; each weighs the level's features in its own way, and all are pooled.
        map_spread: standard deviation of the maps' initial values. Near zero every softmax starts flat, and the
            gradient that could shape it is nearly dead (docs/decisions/0017-spread-of-the-maps.md).
        nec_hidden: width of the converter's hidden layers.
        nec_depth: number of the converter's linear layers, at least 1.
        nec_activation: gelu, relu or tanh.
        nec_bound: converted maps stay within plus and minus this, by a scaled tanh; 0 leaves them free.
        flow: the recalibrated features go on into the backbone's next level (ConvNeXt, one map).
        conditioned: importance is normalised from N * F, so it depends on the picture, too; needs gfr.
        gate: recalibrated features are also weighed channel by channel, by a gate computed from their N-weighted means.
        plain_mean: F_l itself is pooled beside F_l * norm(N_l); without it only the latter is.
    """

    backbone: str = "convnext_atto"
    levels: tuple[int, ...] = (1, 2, 3)
    dim: Annotated[int, Ge(0)] = 512
    share_weights: bool = True
    ncm: bool = True
    nec: bool = True
    gfr: bool = True
    direction: Literal["ground-to-satellite", "satellite-to-ground"] = "ground-to-satellite"
    norm: Literal["softmax", "sigmoid", "minmax"] = "softmax"
    maps: Annotated[int, Ge(1)] = 1
    map_spread: Annotated[float, Gt(0)] = 1.0
    nec_hidden: Annotated[int, Ge(1)] = 256
    nec_depth: Annotated[int, Ge(1)] = 2
    nec_activation: Literal["gelu", "relu", "tanh"] = "gelu"
    nec_bound: Annotated[float, Ge(0)] = 0.0
    flow: bool = False
    conditioned: bool = False
    gate: bool = False
    plain_mean: bool = True

    def check_together(self) -> None:
        """Levels rise, and what works on the maps needs maps."""
        if not self.levels or list(self.levels) != sorted(set(self.levels)):
            raise BadConfig(f"levels is {self.levels}; give rising level indices, for example 1,2,3")
        if (self.nec or self.gfr) and not self.ncm:
            raise BadConfig(f"nec is {self.nec} and gfr is {self.gfr} with ncm off; both work on its maps: turn it on")
        if self.maps > 1 and not self.ncm:
            raise BadConfig(f"maps is {self.maps} with ncm off; turn it on, or set maps to 1")
        if not self.ncm and (self.flow or self.gate or not self.plain_mean):
            raise BadConfig("flow, gate and plain_mean work on the maps, and ncm is off; turn it on, or leave them out")
        if self.conditioned and not self.gfr:
            raise BadConfig("conditioned is on with gfr off, which it changes; turn gfr on")
        if self.nec_bound and not self.nec:
            raise BadConfig(f"nec_bound is {self.nec_bound} with nec off, which it bounds; turn nec on")
        if self.flow and self.maps > 1:
            raise BadConfig(f"maps is {self.maps} with flow on; the next level takes one of them: set maps to 1")


class CLNet(nn.Module):
    """Two views in, unit descriptors out; each view is embedded alone.

    Example:
        >>> net = CLNet(CLNetSpec(backbone="convnext_atto", dim=64), InputSpec(64, 32, 128))
        >>> net(torch.zeros(2, 3, 64, 64), "satellite").shape
        torch.Size([2, 64])
    """

    def __init__(self, spec: CLNetSpec, inputs: InputSpec, *, pretrained: Pretrained | None = None) -> None:
        """Build the network, its backbone from random weights or from the `pretrained` ones."""
        super().__init__()
        self.spec = spec
        self.inputs = inputs
        views = ("shared",) if spec.share_weights else VIEWS
        made = {view: create_backbone(spec.backbone, spec.levels, pretrained) for view in views}
        self.backbones = nn.ModuleDict({view: backbone for view, (backbone, _) in made.items()})
        backbone, head_norm = made[views[0]]
        channels = [backbone.feature_info[level]["num_chs"] for level in spec.levels]
        strides = find_strides(backbone, spec.levels, inputs)
        grids = {view: [_grid(inputs, view, stride) for stride in strides] for view in VIEWS}
        self.maps = CorrespondenceMaps(spec, channels, grids["ground"], grids["satellite"]) if spec.ncm else None
        self.gates = nn.ModuleList(_gate(spec.maps * count) for count in channels) if spec.gate else None
        if spec.flow and not hasattr(backbone, "stages"):
            raise BadConfig(f"flow goes through a ConvNeXt's stages, and {spec.backbone} has none; leave flow out")
        pooled = sum(channels) * spec.maps
        self.norm = head_norm if head_norm and spec.maps == 1 else nn.LayerNorm(pooled, eps=1e-6)
        self.projection = nn.Linear(pooled, spec.dim) if spec.dim else nn.Identity()
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.dim = spec.dim or pooled

    def forward(self, pictures: Tensor, view: View, importance: list[Tensor | None] | None = None) -> Tensor:
        """Descriptors of normalised pictures of one view, as `encode_batch` prepares them.

        Args:
            pictures: [B, 3, H, W] of the size that the network sees of the view.
            view: "ground" or "satellite".
            importance: the view's folded maps (`importance(view)`), if they are at hand.

        Returns:
            [B, dim] unit vectors, float32.
        """
        maps = importance if importance is not None else self.importance(view)
        pooled = [_pool(feature, weight) for feature, weight in self.weighed_features(pictures, view, maps)]
        if self.gates is not None and not self.spec.flow:
            pooled = [means * self.gate(level, means) for level, means in enumerate(pooled)]
        return F.normalize(self.projection(self.norm(torch.cat(pooled, dim=1))).float(), dim=1)

    def importance(self, view: View) -> list[Tensor | None]:
        """What the picture does not change: each level's features are multiplied by it before pooling, [M C, H, W].

        It is 1 + norm(N), or norm(N) without the plain mean; None without maps. After training it is a constant of the
        view. Where importance is conditioned on the picture it is the bare N.
        """
        if self.maps is None:
            return [None] * len(self.spec.levels)
        if self.spec.conditioned:
            return list(self.maps(view))
        return [self._beside + self._recalibration(array) for array in self.maps(view)]

    def weighed_features(
        self, pictures: Tensor, view: View, maps: list[Tensor | None]
    ) -> list[tuple[Tensor, Tensor | None]]:
        """Each level's features [B, C, H, W], and what they are multiplied by before pooling.

        Args:
            pictures: as `forward` takes them.
            view: which side.
            maps: `importance(view)`.

        Returns:
            Pairs of features and weights: [M C, H, W], or [B, M C, H, W] where they depend on the picture; None weighs
            nothing, and so it is where the features are recalibrated already.
        """
        if self.spec.flow:
            return [(feature, None) for feature in self._flowing(pictures, view, maps)]
        features = self.features(pictures, view)
        return [(feature, self._weight(feature, one)) for feature, one in zip(features, maps, strict=True)]

    @property
    def _beside(self) -> float:
        return 1.0 if self.spec.plain_mean else 0.0

    def _weight(self, feature: Tensor, folded: Tensor | None) -> Tensor | None:
        if folded is not None:
            _require_same_grid(feature, folded)
        if folded is None or not self.spec.conditioned:
            return folded
        product = feature.repeat(1, self.spec.maps, 1, 1) * folded
        flat = product.flatten(2).flatten(0, 1)
        return self._beside + _NORMS[self.spec.norm](flat.float()).view_as(product)

    def gate(self, level: int, means: Tensor) -> Tensor:
        """Importance of each channel, from its weighted mean; every one is 1 at first. [B, M C]."""
        assert self.gates is not None
        return 2.0 * torch.sigmoid(self.gates[level](means))

    def _flowing(self, pictures: Tensor, view: View, maps: list[Tensor | None]) -> list[Tensor]:
        """The recalibrated features F' of each level, each computed from those of the level before."""
        backbone: Any = self.backbones["shared" if self.spec.share_weights else view]
        features: list[Tensor] = []
        flowing: Tensor = backbone.stem(pictures)
        for number, stage in enumerate(backbone.stages):
            flowing = stage(flowing)
            if number in self.spec.levels:
                weight = self._weight(flowing, maps[len(features)])
                flowing = flowing if weight is None else flowing * weight
                if self.gates is not None:
                    gate = self.gate(len(features), flowing.mean(dim=(2, 3)))
                    flowing = flowing * gate[:, :, None, None]
                features.append(flowing)
        return features

    def features(self, pictures: Tensor, view: View) -> list[Tensor]:
        """Each used level's features [B, C, H, W] as the backbone gives them, without maps."""
        backbone: Any = self.backbones["shared" if self.spec.share_weights else view]
        features: list[Tensor] = backbone.forward_intermediates(
            pictures, indices=list(self.spec.levels), intermediates_only=True
        )
        return features

    def _recalibration(self, array: Tensor) -> Tensor:
        """Global feature recalibration: the importance of each position for each channel."""
        if not self.spec.gfr:
            return array
        return _NORMS[self.spec.norm](array.flatten(1)).view_as(array)


class CorrespondenceMaps(nn.Module):
    """The neural correspondence maps of all levels, and the converters that carry them to the other view."""

    def __init__(
        self, spec: CLNetSpec, channels: list[int], ground: list[tuple[int, int]], satellite: list[tuple[int, int]]
    ) -> None:
        """The maps of each level; `ground` and `satellite` are the levels' grids as (H, W)."""
        super().__init__()
        self.owner: View = "ground" if spec.direction == "ground-to-satellite" else "satellite"
        own, other = (ground, satellite) if self.owner == "ground" else (satellite, ground)
        self.other_grids = other
        self._bound = spec.nec_bound
        self.free = nn.ParameterList(_free_map(spec, count, grid) for count, grid in zip(channels, own, strict=True))
        self.converted: nn.ModuleList | nn.ParameterList
        if spec.nec:
            self.converted = nn.ModuleList(_converter(spec, a, b) for a, b in zip(own, other, strict=True))
        else:
            self.converted = nn.ParameterList(
                _free_map(spec, count, grid) for count, grid in zip(channels, other, strict=True)
            )

    def forward(self, view: View) -> list[Tensor]:
        """The raw maps of a view, [M C, H, W] for each level."""
        if view == self.owner:
            return list(self.free)
        if isinstance(self.converted, nn.ParameterList):
            return list(self.converted)
        return [
            self._bounded(converter(own.flatten(1))).view(len(own), *grid)
            for converter, own, grid in zip(self.converted, self.free, self.other_grids, strict=True)
        ]

    def _bounded(self, converted: Tensor) -> Tensor:
        return self._bound * torch.tanh(converted / self._bound) if self._bound else converted


def _gate(channels: int) -> nn.Sequential:
    """From weighted means to the logits of a gate for each channel, all 0 at first."""
    narrow = max(8, channels // 4)
    last = nn.Linear(narrow, channels)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, narrow), nn.GELU(), last)


def _free_map(spec: CLNetSpec, channels: int, grid: tuple[int, int]) -> nn.Parameter:
    return nn.Parameter(torch.randn(spec.maps * channels, *grid) * spec.map_spread)


def _converter(spec: CLNetSpec, own: tuple[int, int], other: tuple[int, int]) -> nn.Sequential:
    """A shallow MLP over grid positions, the same for every channel."""
    widths = [math.prod(own), *[spec.nec_hidden] * (spec.nec_depth - 1), math.prod(other)]
    layers: list[nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(pairwise(widths)):
        layers += [_ACTIVATIONS[spec.nec_activation]()] if index else []
        layers.append(nn.Linear(fan_in, fan_out))
    return nn.Sequential(*layers)


def _require_same_grid(feature: Tensor, maps: Tensor) -> None:
    if feature.shape[2:] != maps.shape[1:] or len(maps) % feature.shape[1]:
        raise BadConfig(
            f"a level gives {tuple(feature.shape[1:])} where its map has {tuple(maps.shape)}; "
            "the input size must be the one in the checkpoint's spec"
        )


def _pool(feature: Tensor, weight: Tensor | None) -> Tensor:
    """Means over positions of [B, C, H, W], weighted by M maps [M C, H, W] or [B, M C, H, W]: [B, M C]."""
    if weight is None:
        return feature.mean(dim=(2, 3))
    if weight.shape[-3] == feature.shape[1]:
        return (feature * weight).mean(dim=(2, 3))
    each = weight.reshape(*weight.shape[:-3], -1, *feature.shape[1:]) / feature[0, 0].numel()
    maps = "mchw" if weight.dim() == _SHARED else "bmchw"
    return torch.einsum(f"bchw,{maps}->bmc", feature, each).flatten(1)


def _softmax(flat: Tensor) -> Tensor:
    return torch.softmax(flat, dim=1) * flat.shape[1]


def _sigmoid(flat: Tensor) -> Tensor:
    gate = torch.sigmoid(flat)
    return gate / gate.mean(dim=1, keepdim=True)


def _minmax(flat: Tensor) -> Tensor:
    low, high = flat.amin(dim=1, keepdim=True), flat.amax(dim=1, keepdim=True)
    scaled = (flat - low) / (high - low).clamp_min(1e-6) + 1e-6
    return scaled / scaled.mean(dim=1, keepdim=True)


_SHARED = 3
"""Dimensions of a weight that all pictures of a batch share."""
_NORMS = {"softmax": _softmax, "sigmoid": _sigmoid, "minmax": _minmax}
_ACTIVATIONS = {"gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh}


def _grid(inputs: InputSpec, view: View, stride: Stride) -> tuple[int, int]:
    """The (H, W) of a level's features."""
    width_px, height_px = inputs.ground_size_px if view == "ground" else inputs.satellite_canvas_px
    return stride.positions(height_px), stride.positions(width_px)
