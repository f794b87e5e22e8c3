"""Symmetric InfoNCE over a batch of matching pairs (arXiv 1807.03748), with label smoothing as in Sample4Geo."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["MAX_LOGIT_SCALE", "symmetric_info_nce"]

MAX_LOGIT_SCALE = 4.6052
"""Upper bound of the learnable log scale: a temperature below 0.01 only overfits (as in CLIP, arXiv 2103.00020)."""


def symmetric_info_nce(
    ground: Tensor, satellite: Tensor, logit_scale: Tensor, *, label_smoothing: float = 0.1
) -> Tensor:
    """Mean cross-entropy of finding each ground view's tile and each tile's ground view in the batch.

    Args:
        ground: [B, D] unit vectors.
        satellite: [B, D] unit vectors; row i matches row i of `ground`.
        logit_scale: logarithm of the inverse temperature, a scalar.
        label_smoothing: probability mass spread over the batch.

    Returns:
        A scalar.
    """
    scores = ground @ satellite.T * logit_scale.clamp(max=MAX_LOGIT_SCALE).exp()  # scores[ground, satellite]
    target = torch.arange(len(scores), device=scores.device)
    forward = F.cross_entropy(scores, target, label_smoothing=label_smoothing)
    backward = F.cross_entropy(scores.T, target, label_smoothing=label_smoothing)
    return (forward + backward) / 2
