"""Symmetric InfoNCE over a batch of matching pairs (arXiv 1807.03748), with label smoothing as in Sample4Geo."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from model.data.pairs import PairSet

__all__ = ["MAX_LOGIT_SCALE", "soft_targets", "symmetric_info_nce"]

MAX_LOGIT_SCALE = 4.6052
"""Upper bound of the learnable log scale: a temperature below 0.01 only overfits (as in CLIP, arXiv 2103.00020)."""


def symmetric_info_nce(
    ground: Tensor,
    satellite: Tensor,
    logit_scale: Tensor,
    *,
    label_smoothing: float = 0.1,
    bounded: bool = True,
    targets: Tensor | None = None,
) -> Tensor:
    """Mean cross-entropy of finding each ground view's tile and each tile's ground view in the batch.

    Args:
        ground: [B, D] unit vectors.
        satellite: [B, D] unit vectors; row i matches row i of `ground`.
        logit_scale: logarithm of the inverse temperature, a scalar.
        label_smoothing: probability mass spread over the batch.
        bounded: hold the scale at `MAX_LOGIT_SCALE`.
        targets: [B, B], how right each tile is for each ground view, at least 0 and 1 for its own; None where only its
            own is right.

    Returns:
        A scalar.
    """
    value = logit_scale.detach().clamp(max=MAX_LOGIT_SCALE) if bounded else logit_scale.detach()
    scale = value + (logit_scale - logit_scale.detach())  # a clamp's own gradient would be zero beyond it, for ever
    scores = ground @ satellite.T * scale.exp()  # scores[ground, satellite]
    if targets is None:
        forward = backward = torch.arange(len(scores), device=scores.device)
    else:
        forward, backward = (F.normalize(right, p=1.0, dim=1) for right in (targets, targets.T))
    one_way = F.cross_entropy(scores, forward, label_smoothing=label_smoothing)
    other_way = F.cross_entropy(scores.T, backward, label_smoothing=label_smoothing)
    return (one_way + other_way) / 2


def soft_targets(pairs: PairSet, rows: Sequence[int], weight: float) -> Tensor:
    """How right each tile of a batch is for each of its queries, float32 [B, B].

    Args:
        pairs: the data set.
        rows: the batch's queries.
        weight: of a tile that covers the query too, where its own has 1.
    """
    targets = torch.eye(len(rows))
    if not pairs.semi_positives:
        return targets
    places = {int(pairs.positives[row]): place for place, row in enumerate(rows)}  # a batch holds each tile once
    for place, row in enumerate(rows):
        for tile in pairs.semi_positives[row]:
            if tile in places:
                targets[place, places[tile]] = weight
    return targets
