"""The mean of the weights of several bundles of one network (arXiv 2203.05482).

Runs that went on from one bundle lie near each other, and their mean often carries further than each of them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch

from model.common.errors import BadConfig
from model.network.checkpoints import Bundle, load_bundle, start_from

__all__ = ["average_bundles"]


@torch.no_grad()
def average_bundles(names: Sequence[str]) -> tuple[Bundle, dict[str, Any]]:
    """Average weights, each bundle counting the same.

    Args:
        names: folders or names of bundles, two at least; how the first was trained stands for all.

    Returns:
        The first bundle with the mean as its network; and its provenance, in which all bundles are named.

    Raises:
        BadCheckpoint: one is no bundle, or damaged.
        BadConfig: fewer than two, one named twice, or one of another architecture or for other inputs.
    """
    if len(names) < 2:
        raise BadConfig(f"{len(names)} bundle is given; an average takes two at least, each with --checkpoint")
    bundles = [load_bundle(name) for name in names]
    digests = [bundle.digest for bundle in bundles]
    if twice := [name for name, digest in zip(names, digests, strict=True) if digests.count(digest) > 1]:
        raise BadConfig(f"{' and '.join(twice)} are one bundle; name each once")
    net = bundles[0].net
    for count, name in enumerate(names[1:], 2):
        other = copy.deepcopy(net)
        start_from(other, name)
        torch._foreach_lerp_(list(net.parameters()), list(other.parameters()), 1.0 / count)
    named = [{"name": one.name, "digest": one.digest, "provenance": dict(one.provenance)} for one in bundles]
    return bundles[0], {**bundles[0].provenance, "average_of": named}
