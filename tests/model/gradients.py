"""Loss and gradients of one fixed batch of a tiny network, however the batch is cut."""

from functools import partial

import torch

from model.network.forward import encode_batch
from model.training.distributed import ALONE, Processes
from model.training.grad_cache import find_gradients
from model.training.loss import symmetric_info_nce
from tests.model.tiny import INPUTS, tiny_net

PAIRS = 8


def embedding(net):
    return lambda pixels, view: encode_batch(net, pixels, INPUTS, view, half=None)


def fixed_batch(turned=0):
    """Ground views, each followed by `turned` others, and tiles."""
    random = torch.Generator().manual_seed(3)
    sizes = ((1 + turned, INPUTS.ground_size_px), (1, INPUTS.satellite_size_px))
    return [
        torch.randint(0, 256, (PAIRS * copies, *size[::-1], 3), generator=random, dtype=torch.uint8)
        for copies, size in sizes
    ]


def batch_gradients(
    processes: Processes = ALONE, *, chunk: int = 0, turned: int = 0, embed=None, net=None, **options
) -> dict[str, torch.Tensor]:
    """The loss, and the gradient of every weight."""
    net = net or tiny_net().train()
    own = processes.own_slice(list(range(PAIRS)))
    copies = [row * (1 + turned) + copy for row in own for copy in range(1 + turned)]
    ground, satellite = fixed_batch(turned)
    loss = find_gradients(
        net,
        embed or embedding(net),
        partial(symmetric_info_nce, logit_scale=net.logit_scale),
        ground[copies],
        satellite[own],
        chunk=chunk,
        processes=processes,
        **options,
    )
    return {"loss": torch.tensor(loss), **{name: value.grad for name, value in net.named_parameters()}}


def differing(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> list[str]:
    """Names of the values that are not the same within 1e-5, absolute and relative to the largest."""
    assert a.keys() == b.keys()
    return [name for name in a if (a[name] - b[name]).abs().max() > 1e-5 * max(1.0, float(a[name].abs().max()))]
