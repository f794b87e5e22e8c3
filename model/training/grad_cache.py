"""Loss and gradients of one batch, however it is cut: into slices of processes, or chunks that a memory holds.

The loss needs all descriptors at once, but not their graphs: from its gradient on the descriptors each part of the
batch finds its own share of the weights' gradients (GradCache, arXiv 2101.06983).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from model.common.errors import BadConfig
from model.inputs.specs import View
from model.network.clnet import CLNet
from model.training.distributed import ALONE, Processes

__all__ = ["find_gradients", "refuse_batch_statistics"]

Embed = Callable[[Tensor, View], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]


def find_gradients(
    net: CLNet,
    embed: Embed,
    loss: Loss,
    ground: Tensor,
    satellite: Tensor,
    *,
    chunk: int = 0,
    processes: Processes = ALONE,
    scaled: Callable[[Tensor], Tensor] = lambda value: value,
) -> float:
    """Put the gradients of the whole batch's loss into `net`, the same in every process; returns that loss.

    Args:
        net: its gradients are replaced; left alone where the loss is not finite.
        embed: this network's descriptors [b, D] of pictures of a view.
        loss: scalar of ground and satellite descriptors of the whole batch, [B * (1 + c), D] and [B, D], and of
            `net.logit_scale`.
        ground: this process's slice of the batch, uint8 [b, H, W, 3]; or [b * (1 + c), H, W, 3], each panorama followed
            by c turned copies.
        satellite: the tiles that belong to them, uint8 [b, H, W, 3].
        chunk: pictures embedded at once with a graph, each embedded twice; 0 for all, once.
        processes: those that share the batch evenly.
        scaled: what the gradients are found of, the loss times a factor, where they would vanish in float16; the loss
            that is returned is not.
    """
    sides: tuple[tuple[View, Tensor], ...] = (("ground", ground), ("satellite", satellite))
    parts = [
        [_Part(embed, pixels, view, keep=not chunk) for pixels in torch.split(side, chunk or len(side))]
        for view, side in sides
    ]
    vectors = [processes.gather(torch.cat([part.vectors.detach() for part in side])) for side in parts]
    value = loss(*(one.requires_grad_() for one in vectors))
    if not math.isfinite(found := value.item()):
        return found
    *wanted, of_scale = torch.autograd.grad(scaled(value), (*vectors, net.logit_scale))
    net.zero_grad(set_to_none=True)
    for side, (_, pixels), whole in zip(parts, sides, wanted, strict=True):
        own = whole[processes.rank * len(pixels) :][: len(pixels)]
        for part, gradient in zip(side, torch.split(own, chunk or len(pixels)), strict=True):
            part.backward(gradient)
    net.logit_scale.grad = of_scale / processes.count  # every process has it whole
    processes.sum_gradients(net.parameters())
    return found


def refuse_batch_statistics(net: CLNet) -> None:
    """Make sure that a picture's descriptor does not depend on those it is embedded with.

    Raises:
        BadConfig: the backbone normalises over the batch, so parts of it would give other gradients than the whole.
    """
    if any(isinstance(module, torch.nn.modules.batchnorm._BatchNorm) for module in net.modules()):
        raise BadConfig(
            f"{net.spec.backbone} normalises over the batch, and a batch in parts is not normalised as a whole one; "
            "take a backbone without BatchNorm (ConvNeXt, a transformer), or one process and optim.chunk 0"
        )


class _Part:
    """Pictures and their descriptors; without a graph they are embedded again for the backward pass."""

    def __init__(self, embed: Embed, pixels: Tensor, view: View, *, keep: bool) -> None:
        self.again = None if keep else _Again(embed, pixels, view)
        with torch.set_grad_enabled(keep):
            self.vectors = embed(pixels, view)

    def backward(self, gradient: Tensor) -> None:
        vectors = self.vectors if self.again is None else self.again()
        vectors.backward(gradient)  # type: ignore[no-untyped-call]


class _Again:
    """A forward pass to be repeated with the same random numbers: dropout and stochastic depth draw some."""

    def __init__(self, embed: Embed, pixels: Tensor, view: View) -> None:
        self.embed, self.pixels, self.view = embed, pixels, view
        self.cpu = torch.get_rng_state()
        self.cuda = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]

    def __call__(self) -> Tensor:
        with self._same_draws():
            return self.embed(self.pixels, self.view)

    @contextmanager
    def _same_draws(self) -> Iterator[None]:
        with torch.random.fork_rng([] if self.cuda is None else [torch.cuda.current_device()]):
            torch.set_rng_state(self.cpu)
            if self.cuda is not None:
                torch.cuda.set_rng_state(self.cuda)
            yield
