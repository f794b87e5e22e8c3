"""A step in float16 is taken by every optimizer or by none."""

import pytest
import torch

from model.common.errors import BadConfig
from model.training.config import OptimSpec
from model.training.optim import create_optimizers
from model.training.precision import create_scaler, move
from tests.model.tiny import tiny_net

CPU = torch.device("cpu")


def stepped(bad: bool, **options) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Weights before and after a step whose gradients are ones, but for one that is no number."""
    net, optim = tiny_net(), OptimSpec(optimizer="muon", lr=0.01, **options)
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    optimizers, scaler = create_optimizers(net, optim), create_scaler(CPU, torch.float16)
    scaler.scale(torch.zeros(()))  # sets up the scale
    for value in net.parameters():
        value.grad = torch.ones_like(value)
    if bad:
        next(net.backbones.parameters()).grad.view(-1)[0] = float("nan")
    move(net, optimizers, scaler, optim, step=0)
    return before, {name: value.detach() for name, value in net.named_parameters()}


def test_a_gradient_that_is_no_number_stops_all_weights() -> None:
    before, after = stepped(bad=True)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_finite_gradients_move_every_weight() -> None:
    before, after = stepped(bad=False, weight_decay=0.0)
    assert not any(torch.equal(before[name], after[name]) for name in before)


def test_only_float16_is_scaled() -> None:
    assert create_scaler(CPU, torch.float16).is_enabled()
    assert not create_scaler(CPU, torch.bfloat16).is_enabled()
    assert not create_scaler(CPU, None).is_enabled()


def test_a_scale_that_no_loss_bears_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.training.precision._LEAST_SCALE", 2.0**99)
    with pytest.raises(BadConfig, match="float16 gradients overflow at step 0"):
        stepped(bad=True)
