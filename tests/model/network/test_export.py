import pytest
import torch

from model.network.export import _Side
from model.network.forward import encode_batch
from tests.model.tiny import INPUTS, tiny_net


@pytest.mark.parametrize(("view", "shape"), [("ground", (32, 64)), ("satellite", (32, 32))])
@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"ncm": False, "nec": False, "gfr": False},
        {"conditioned": True, "gate": True},
        {"flow": True, "nec_bound": 2.0, "plain_mean": False},
    ],
    ids=str,
)
def test_what_is_traced_is_the_forward_pass_with_folded_maps(view, shape, spec):
    net = tiny_net(**spec)
    pixels = torch.randint(0, 256, (2, *shape, 3), dtype=torch.uint8)
    whole = encode_batch(net, pixels, INPUTS, view, half=None)
    assert torch.allclose(_Side(net, view)(pixels), whole, atol=1e-6)
