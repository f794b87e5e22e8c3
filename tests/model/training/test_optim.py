from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from model.network.clnet import CLNet
from model.training.config import OptimSpec
from model.training.optim import create_optimizers, learning_rate, set_learning_rate
from tests.model.tiny import INPUTS, SPEC, tiny_net


@pytest.mark.parametrize("nec", [True, False])
def test_weight_decay_spares_maps_norms_biases_and_the_temperature(nec):
    net = CLNet(replace(SPEC, nec=nec), INPUTS)
    (optimizer,) = create_optimizers(net, OptimSpec(weight_decay=0.1))
    decayed, spared = ({id(value) for value in group["params"]} for group in optimizer.param_groups)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0]
    for name, value in net.named_parameters():
        is_map = name.startswith("maps.") and not name.endswith((".weight", ".bias"))
        assert id(value) in (spared if is_map or value.ndim < 2 else decayed), name


def test_the_learning_rate_rises_then_falls_to_zero():
    optim = OptimSpec(steps=100, warmup_steps=10, lr=1.0)
    rates = [learning_rate(step, optim) for step in range(100)]
    assert rates[:10] == pytest.approx([n / 10 for n in range(1, 11)])
    assert rates[10] == 1.0
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert learning_rate(100, optim) == pytest.approx(0.0)


def test_muon_moves_the_matrices_of_layers_and_adamw_all_the_rest():
    net = tiny_net()
    adamw, muon = create_optimizers(net, OptimSpec(optimizer="muon"))
    turned = {id(value) for group in muon.param_groups for value in group["params"]}
    others = {id(value) for group in adamw.param_groups for value in group["params"]}
    assert not turned & others
    for name, value in net.named_parameters():
        is_map = name.startswith("maps.") and not name.endswith(".weight")
        one_by_one = value.ndim == 4 and value.shape[2:] == (1, 1)
        is_matrix = not is_map and (value.ndim == 2 or one_by_one or ("downsample" in name and value.ndim == 4))
        assert id(value) in (turned if is_matrix else others), name
    assert any(value.ndim == 4 for group in muon.param_groups for value in group["params"])


def test_all_optimizers_follow_one_learning_rate():
    optimizers = create_optimizers(tiny_net(), OptimSpec(optimizer="muon"))
    set_learning_rate(optimizers, 0.125)
    assert {group["lr"] for optimizer in optimizers for group in optimizer.param_groups} == {0.125}


def test_weight_decay_may_be_on_everything():
    for optimizer in create_optimizers(
        tiny_net(), OptimSpec(weight_decay=0.1, decay_everything=True, optimizer="muon")
    ):
        assert {group["weight_decay"] for group in optimizer.param_groups} == {0.1}


def test_muon_looks_ahead_by_nesterovs_momentum():
    """The first two steps of one matrix, computed apart: what is made orthogonal is the gradient moved to its mean."""
    net = nn.Sequential(nn.Linear(4, 4, bias=False))
    _, muon = create_optimizers(net, OptimSpec(optimizer="muon", lr=0.1, weight_decay=0.0))
    random = torch.Generator().manual_seed(0)
    gradients = torch.randn(2, 4, 4, generator=random)
    ahead, mean, momentum = [], torch.zeros(4, 4), muon.param_groups[0]["momentum"]
    for gradient in gradients:
        mean = mean.lerp(gradient, 1 - momentum)
        ahead.append(gradient.lerp(mean, momentum))
    for gradient, expected in zip(gradients, ahead, strict=True):
        before = net[0].weight.detach().clone()
        net[0].weight.grad = gradient.clone()
        muon.step()
        step = (before - net[0].weight.detach()).double()
        alike = step.flatten() @ nearest_orthogonal(expected).flatten() / (step.norm() * 2)  # the norm of 4 rows is 2
        assert alike > 0.98


def nearest_orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    left, _, right = torch.linalg.svd(matrix.double())
    return left @ right
