"""The running average follows the network, and copies what is no weight."""

import torch

from model.training.config import OptimSpec
from model.training.ema import average_decay, update_average
from tests.model.tiny import tiny_net


def test_the_average_follows_closely_at_first_and_slowly_later():
    assert [average_decay(step, OptimSpec(ema=0.999)) for step in (0, 90, 10**5)] == [0.1, 0.91, 0.999]
    average, net = tiny_net(0), tiny_net(1)
    expected = 0.9 * average.logit_scale + 0.1 * net.logit_scale
    update_average(average, net, 0.9)
    assert torch.allclose(average.logit_scale, expected)


def test_the_averages_running_statistics_are_those_of_the_network():
    average, net = (tiny_net(seed, backbone="test_resnet", levels=(2, 4)) for seed in (0, 1))
    net.train()(torch.randn(4, 3, 32, 32), "satellite")
    update_average(average, net, 0.9)
    kept, present = (dict(one.named_buffers()) for one in (average, net))
    assert all(torch.equal(kept[name], value) for name, value in present.items())
    means = [value for name, value in kept.items() if name.endswith("running_mean")]
    assert means
    assert all(value.any() for value in means)  # they start at 0
