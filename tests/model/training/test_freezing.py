import pytest
import torch

from model.common.errors import BadConfig
from model.network.clnet import CLNet
from model.training.freezing import freeze_stages, rest_frozen_norms
from tests.model.tiny import INPUTS, SPEC, tiny_net


def learning(net: CLNet) -> set[str]:
    return {name for name, value in net.named_parameters() if value.requires_grad}


def test_the_stem_and_the_first_stages_stay_and_all_else_learns():
    net = tiny_net()
    every = learning(net)
    freeze_stages(net, 1)
    frozen = every - learning(net)
    assert frozen
    assert all(".stem." in name or ".stages.0." in name or ".stages_0." in name for name in frozen), sorted(frozen)
    assert any(".stages.1." in name or ".stages_1." in name for name in learning(net))
    assert {name for name in every if "backbones" not in name} <= learning(net)


def test_none_frozen_is_none():
    net = tiny_net()
    freeze_stages(net, 0)
    assert all(value.requires_grad for value in net.parameters())


def test_both_backbones_freeze_where_there_are_two():
    net = tiny_net(share_weights=False)
    freeze_stages(net, 1)
    frozen = {name for name, value in net.named_parameters() if not value.requires_grad}
    assert {name.split(".")[1] for name in frozen} == {"ground", "satellite"}


def test_more_stages_than_there_are_is_refused():
    with pytest.raises(BadConfig, match=r"optim.frozen_stages is 9 and test_convnext has \d stages in use; give less"):
        freeze_stages(tiny_net(), 9)


def test_a_frozen_batch_norm_keeps_its_statistics():
    class Named(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.frozen, self.free = torch.nn.BatchNorm2d(3), torch.nn.BatchNorm2d(3)
            self.frozen.requires_grad_(False)

    net = Named().train()
    rest_frozen_norms(net)
    for norm in (net.frozen, net.free):
        norm(torch.randn(4, 3, 5, 5) + 3.0)
    assert float(net.frozen.running_mean.abs().max()) == 0.0
    assert float(net.free.running_mean.abs().min()) > 0.0
    assert CLNet(SPEC, INPUTS).training  # a fresh network trains
