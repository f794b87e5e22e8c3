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


def fixed_batch():
    random = torch.Generator().manual_seed(3)
    sizes = (INPUTS.ground_size_px, INPUTS.satellite_size_px)
    return [torch.randint(0, 256, (PAIRS, *size[::-1], 3), generator=random, dtype=torch.uint8) for size in sizes]


def batch_gradients(
    processes: Processes = ALONE, *, chunk: int = 0, embed=None, net=None, **options
) -> dict[str, torch.Tensor]:
    """The loss, and the gradient of every weight."""
    net = net or tiny_net().train()
    own = processes.own_slice(list(range(PAIRS)))
    loss = find_gradients(
        net,
        embed or embedding(net),
        partial(symmetric_info_nce, logit_scale=net.logit_scale),
        *(pictures[own] for pictures in fixed_batch()),
        chunk=chunk,
        processes=processes,
        **options,
    )
    return {"loss": torch.tensor(loss), **{name: value.grad for name, value in net.named_parameters()}}


def differing(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> list[str]:
    """Names of the values that are not the same within 1e-5, absolute and relative to the largest."""
    assert a.keys() == b.keys()
    return [name for name in a if (a[name] - b[name]).abs().max() > 1e-5 * max(1.0, float(a[name].abs().max()))]
