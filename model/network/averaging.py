"""The mean of the weights of several bundles of one network (arXiv 2203.05482).

Runs that went on from one bundle lie near each other, and their mean often carries further than each of them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import torch

from model.common.errors import BadConfig
from model.network.checkpoints import Bundle, load_bundle, start_from

__all__ = ["average_bundles"]


@torch.no_grad()
def average_bundles(
    names: Sequence[str], shares: Sequence[float] = (), *, lowered_deg: float | None = None
) -> tuple[Bundle, dict[str, Any]]:
    """Average weights.

    Args:
        names: folders or names of bundles, two at least, or one with `lowered_deg`; how the first was trained stands
            for all.
        shares: how much each counts, above 0; none: all the same.
        lowered_deg: how far below the horizon the mean sees panoramas (`InputSpec.ground_lowered_deg`); None as the
            first does.

    Returns:
        The first bundle with the mean as its network; and its provenance, in which all bundles are named.

    Raises:
        BadCheckpoint: one is no bundle, or damaged.
        BadConfig: too few, one named twice, or one of another architecture or for other inputs; or not one share above
            0 for each; or an angle out of range, or for networks that see a picture's whole height.
    """
    if len(names) < (2 if lowered_deg is None else 1):
        raise BadConfig(
            f"{len(names)} bundle is given; an average takes two at least, each with --checkpoint, or one and "
            "--lowered-deg"
        )
    shares = tuple(shares) or (1.0,) * len(names)
    if len(shares) != len(names) or not all(0 < share < math.inf for share in shares):
        given = " ".join(f"{share:g}" for share in shares)
        raise BadConfig(f"the shares {given} are given for {len(names)} bundles; give each one a number above 0")
    bundles = [load_bundle(name) for name in names]
    digests = [bundle.digest for bundle in bundles]
    if twice := [name for name, digest in zip(names, digests, strict=True) if digests.count(digest) > 1]:
        raise BadConfig(f"{' and '.join(twice)} are one bundle; name each once")
    net, sums = bundles[0].net, list(accumulate(shares))
    for name, share, until in zip(names[1:], shares[1:], sums[1:], strict=True):
        other = copy.deepcopy(net)
        start_from(other, name)
        torch._foreach_lerp_(list(net.parameters()), list(other.parameters()), share / until)
    named = [
        {"name": one.name, "digest": one.digest, "share": share / sums[-1], "provenance": dict(one.provenance)}
        for one, share in zip(bundles, shares, strict=True)
    ]
    if lowered_deg is not None:
        if lowered_deg and net.inputs.ground_vertical_deg is None:
            raise BadConfig(
                f"--lowered-deg {lowered_deg:g} changes nothing for {names[0]}, which sees a picture's whole height "
                "(inputs.ground_vertical_deg null); leave it out"
            )
        net.inputs = replace(net.inputs, ground_lowered_deg=lowered_deg)
    return bundles[0], {**bundles[0].provenance, "average_of": named}
