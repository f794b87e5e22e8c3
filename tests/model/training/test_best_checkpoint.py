import pytest
import torch

from model.common.errors import BadCheckpoint
from model.training.best_checkpoint import forget_best, keep_best, load_best
from tests.model.tiny import tiny_net


def test_only_a_higher_recall_replaces_what_is_kept(tmp_path):
    nets = [tiny_net(seed) for seed in range(3)]
    for step, (net, recall) in enumerate(zip(nets, (20.0, 50.0, 50.0), strict=True), 1):
        keep_best(tmp_path, net, step=step, recall=recall)
    found = tiny_net(9)
    assert load_best(tmp_path, found) == 2
    assert torch.equal(found.projection.weight, nets[1].projection.weight)


def test_nothing_kept_or_another_network_is_an_error(tmp_path):
    keep_best(tmp_path, tiny_net(), step=1, recall=1.0)
    with pytest.raises(BadCheckpoint, match=r"best\.safetensors is of another network"):
        load_best(tmp_path, tiny_net(dim=8))
    forget_best(tmp_path)
    with pytest.raises(BadCheckpoint, match=r"best\.safetensors cannot be read"):
        load_best(tmp_path, tiny_net())
    forget_best(tmp_path)
