import copy

import pytest
import torch
from torch import nn

from model.common.devices import autocast
from model.training.depthwise import quicken_depthwise
from tests.model.training.test_freezing import pictures, trainer


def gradients(net, features, half=None):
    features = features.clone().requires_grad_()
    net.zero_grad()
    with autocast(torch.device("cpu"), half):
        out = net(features).float()
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return out.detach(), features.grad, [value.grad for value in net.parameters()]


def layers(kernel, stride, padding, kind=nn.Conv2d):
    return nn.Sequential(nn.Conv2d(3, 8, 1), kind(8, 8, kernel, stride, padding, groups=8, bias=False), nn.ReLU())


@pytest.mark.parametrize("size", [(8, 16), (7, 13)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5])
def test_outputs_and_gradients_are_those_of_torch(kernel, stride, size):
    torch.manual_seed(0)
    plain = layers(kernel, stride, kernel // 2)
    quick = copy.deepcopy(plain)
    assert quicken_depthwise(quick) == 1
    features = torch.randn(2, 3, *size)
    (out, own, weights), (out_quick, own_quick, weights_quick) = (gradients(net, features) for net in (plain, quick))
    torch.testing.assert_close(out_quick, out)
    torch.testing.assert_close(own_quick, own)
    for found, wanted in zip(weights_quick, weights, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(8, 16), (7, 13)])
def test_a_layer_that_pads_as_tensorflow_does_keeps_doing_so(size):
    from timm.layers.conv2d_same import Conv2dSame

    torch.manual_seed(0)
    plain = layers(5, 2, 0, Conv2dSame)
    quick = copy.deepcopy(plain)
    assert quicken_depthwise(quick) == 1
    features = torch.randn(2, 3, *size)
    for found, wanted in zip(gradients(quick, features)[:2], gradients(plain, features)[:2], strict=True):
        torch.testing.assert_close(found, wanted)


def test_in_bfloat16_gradients_are_as_near_to_those_of_float32_as_torch_s_own():
    torch.manual_seed(0)
    exact = layers(5, 1, 2)
    plain, quick = copy.deepcopy(exact), copy.deepcopy(exact)
    quicken_depthwise(quick)
    features = torch.randn(4, 3, 8, 16)
    wanted = gradients(exact, features)[2]
    own, found = (gradients(net, features, torch.bfloat16)[2] for net in (plain, quick))
    for one, other, right in zip(own, found, wanted, strict=True):
        assert (other - right).norm() < 1.5 * (one - right).norm() < 0.1 * right.norm()


def test_layers_of_another_kind_are_left_alone():
    others = [
        nn.Conv2d(8, 8, 3, padding=1, bias=False),
        nn.Conv2d(8, 16, 3, groups=8, bias=False),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv2d(8, 8, 7, groups=8, bias=False),
        nn.Conv2d(8, 8, 3, dilation=2, groups=8, bias=False),
        nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular", groups=8, bias=False),
        nn.Conv2d(1, 1, 3, bias=False),
    ]
    assert quicken_depthwise(nn.Sequential(*others)) == 0


def test_a_run_in_bfloat16_takes_the_same_steps_within_rounding_and_publishes_plain_layers():
    quick = trainer(frozen_norms=True, ema=0.9, precision="bfloat16")
    plain = trainer(frozen_norms=True, ema=0.9, precision="bfloat16")
    for module in plain.net.modules():
        module.__dict__.pop("forward", None)
    assert any("forward" in vars(module) for module in quick.net.modules())
    assert not any("forward" in vars(module) for module in quick.best.modules())
    losses = [[one.advance(*pictures()) for _ in range(2)] for one in (quick, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_a_run_in_float32_is_left_alone():
    assert not any(
        "forward" in vars(module) for module in trainer(frozen_norms=True, precision="float32").net.modules()
    )
