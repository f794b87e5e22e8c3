"""Mixed precision: the scale of a float16 loss, and a step that every optimizer takes or none."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.amp import GradScaler
from torch.optim import Optimizer

from model.common.errors import BadConfig
from model.network.clnet import CLNet
from model.training.config import OptimSpec
from model.training.loss import MAX_LOGIT_SCALE

__all__ = ["create_scaler", "move"]

_FIRST_SCALE, _LEAST_SCALE = 2.0**10, 2.0**-14
"""Of the loss in float16: as Sample4Geo starts; and where no factor helps, since it is the type's smallest number."""


def create_scaler(device: torch.device, half: torch.dtype | None) -> GradScaler:
    """What scales the loss where the network computes in float16, and passes it through elsewhere."""
    return GradScaler(device.type, init_scale=_FIRST_SCALE, enabled=half is torch.float16)


def move(net: CLNet, optimizers: Sequence[Optimizer], scaler: GradScaler, optim: OptimSpec, *, step: int) -> None:
    """Follow the gradients, limited as the run asks; in float16 not where they overflow: the scale is halved.

    All optimizers move or none: a gradient that is no number would reach the others' through the norm's limit.

    Raises:
        BadConfig: float16 gradients overflow however little the loss is scaled.
    """
    for optimizer in optimizers:
        scaler.unscale_(optimizer)
    if not scaler.is_enabled() or _all_finite(net):
        if optim.clip_norm > 0:
            torch.nn.utils.clip_grad_norm_(net.parameters(), optim.clip_norm)
        if optim.clip_value > 0:
            torch.nn.utils.clip_grad_value_(net.parameters(), optim.clip_value)
        for optimizer in optimizers:
            scaler.step(optimizer)
    scaler.update()
    if optim.bounded_temperature:  # beyond the bound no gradient would bring it back
        net.logit_scale.data.clamp_(max=MAX_LOGIT_SCALE)
    if scaler.get_scale() < _LEAST_SCALE:
        raise BadConfig(
            f"float16 gradients overflow at step {step} however little the loss is scaled; set "
            "optim.precision to bfloat16 or float32, and start in another folder"
        )


@torch.no_grad()
def _all_finite(net: CLNet) -> bool:
    norms = torch._foreach_norm([value.grad for value in net.parameters() if value.grad is not None])
    return bool(torch.stack(norms).isfinite().all())
