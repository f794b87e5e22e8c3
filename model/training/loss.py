"""Symmetric InfoNCE over a batch of matching pairs (arXiv 1807.03748), with label smoothing as in Sample4Geo.

Ground views at wrong headings may stand in the batch: no tile matches them, so they are further negatives both ways. A
query then has to score higher with its tile than with any tile at any heading, as a search over headings asks.
"""

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
        ground: [B, D] unit vectors; or [B * (1 + c), D], each followed by those of c copies at wrong headings.
        satellite: [B, D] unit vectors; row i matches the i-th ground view.
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
    count = len(satellite)
    scores = ground @ satellite.T * scale.exp()  # scores[ground, satellite]
    by_copy = scores.view(count, -1, count)  # scores[query, copy, tile]; the first copy is the query itself
    one_way, other_way = by_copy.flatten(1), by_copy.transpose(0, 1).flatten(0, 1).T  # the right ones come first
    if targets is None:
        forward = backward = torch.arange(count, device=scores.device)
    else:
        spare = (0, one_way.shape[1] - count)
        forward, backward = (F.pad(F.normalize(right, p=1.0, dim=1), spare) for right in (targets, targets.T))
    losses = (
        F.cross_entropy(logits, wanted, label_smoothing=label_smoothing)
        for logits, wanted in ((one_way, forward), (other_way, backward))
    )
    return torch.stack(list(losses)).mean()


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
