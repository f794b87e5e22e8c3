import pytest
import torch
from torch.amp import GradScaler

from model.common.errors import BadCheckpoint
from model.training.checkpoint import (
    forget_best,
    keep_best,
    load_best,
    load_scaler,
    load_state,
    newest_state,
    save_state,
)
from model.training.config import OptimSpec
from model.training.optim import create_optimizers
from tests.model.tiny import tiny_net


def trained(seed: int = 0, optimizer: str = "adamw"):
    """A network in the trainer's layout, and its optimizers after one step."""
    net = tiny_net(seed).to(memory_format=torch.channels_last)
    optimizers = create_optimizers(net, OptimSpec(optimizer=optimizer))
    for value in net.parameters():
        value.grad = torch.randn_like(value)
    for one in optimizers:
        one.step()
    return net, optimizers


def remembered(optimizers, value):
    (state,) = [one.state[value] for one in optimizers if one.state.get(value)]
    return {key: value for key, value in state.items() if isinstance(value, torch.Tensor)}


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_weights_and_moments_come_back_as_they_were_in_value_and_layout(tmp_path, optimizer):
    net, optimizers = trained(optimizer=optimizer)
    other, fresh = trained(seed=1, optimizer=optimizer)
    assert load_state(save_state(tmp_path, 3, net, optimizers), other, fresh) == 3
    for (name, before), after in zip(net.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(before, after), name
        for key, moment in remembered(optimizers, before).items():
            found = remembered(fresh, after)[key]
            assert torch.equal(moment, found), (name, key)
            assert (moment.stride(), moment.device) == (found.stride(), found.device), (name, key)


def test_the_average_comes_back_beside_the_weights(tmp_path):
    (net, optimizers), average, other = trained(), tiny_net(5), tiny_net(6)
    load_state(save_state(tmp_path, 3, net, optimizers, average), *trained(seed=1), other)
    assert all(torch.equal(a, b) for a, b in zip(average.parameters(), other.parameters(), strict=True))


def test_a_state_without_the_average_that_is_asked_for_is_refused(tmp_path):
    with pytest.raises(BadCheckpoint, match="remove it to start again"):
        load_state(save_state(tmp_path, 3, *trained()), *trained(), tiny_net())


@pytest.mark.gpu
def test_a_run_on_a_gpu_goes_on_there(tmp_path):
    net, optimizers = trained()
    other = tiny_net(1).to("cuda", memory_format=torch.channels_last)
    fresh = create_optimizers(other, OptimSpec())
    load_state(save_state(tmp_path, 3, net, optimizers), other, fresh)
    for value in other.parameters():
        value.grad = torch.randn_like(value)
    for one in fresh:
        one.step()
    assert all(value.isfinite().all() for value in other.parameters())


def test_the_scale_of_the_loss_comes_back_where_one_is_in_use(tmp_path):
    net, optimizers = trained()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    without = save_state(tmp_path / "a", 3, net, optimizers, scaler=GradScaler("cpu", enabled=False))
    path = save_state(tmp_path / "b", 3, net, optimizers, scaler=GradScaler("cpu", init_scale=64.0))
    scaler, unused = GradScaler("cpu"), GradScaler("cpu", enabled=False)
    load_scaler(path, scaler)
    assert scaler.get_scale() == 64.0
    load_scaler(without, unused)
    with pytest.raises(BadCheckpoint, match="remove it to start again"):
        load_scaler(without, scaler)


def test_only_the_newest_state_is_kept(tmp_path):
    net, optimizers = trained()
    assert newest_state(tmp_path) is None
    for step in (9, 10):
        save_state(tmp_path, step, net, optimizers)
    assert [path.name for path in tmp_path.iterdir()] == ["state-00000010.safetensors"]


def test_a_newer_state_counts_where_a_kill_left_two(tmp_path):
    net, optimizer = trained()
    older = save_state(tmp_path, 9, net, optimizer).read_bytes()
    save_state(tmp_path, 10, net, optimizer)
    (tmp_path / "state-00000009.safetensors").write_bytes(older)
    assert newest_state(tmp_path).name == "state-00000010.safetensors"


def test_the_state_of_another_architecture_is_refused(tmp_path):
    path = save_state(tmp_path, 1, *trained())
    other = tiny_net(dim=8)
    with pytest.raises(BadCheckpoint, match="remove it to start again"):
        load_state(path, other, torch.optim.AdamW(other.parameters()))


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
