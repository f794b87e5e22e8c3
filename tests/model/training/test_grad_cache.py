import pytest
import torch
import torch.nn.functional as F

from model.common.errors import BadConfig
from model.network.backbones import save_memory
from model.training.grad_cache import refuse_batch_statistics
from model.training.loss import symmetric_info_nce
from tests.model.gradients import PAIRS, batch_gradients, differing, embedding, fixed_batch
from tests.model.tiny import tiny_net


def test_the_gradients_are_those_of_the_loss_itself():
    net = tiny_net().train()
    ground, satellite = (embedding(net)(pixels, view) for pixels, view in zip(fixed_batch(), VIEWS, strict=True))
    loss = symmetric_info_nce(ground, satellite, net.logit_scale)
    loss.backward()
    expected = {"loss": loss.detach(), **{name: value.grad for name, value in net.named_parameters()}}
    assert not differing(expected, batch_gradients())


VIEWS = ("ground", "satellite")


@pytest.mark.parametrize("turned", [0, 2])
@pytest.mark.parametrize("chunk", [1, 3, PAIRS, 2 * PAIRS])
def test_a_batch_in_chunks_gives_the_loss_and_the_gradients_of_the_whole(chunk, turned):
    assert not differing(batch_gradients(turned=turned), batch_gradients(chunk=chunk, turned=turned))


def test_a_chunk_draws_the_same_random_numbers_in_both_passes():
    """The first pass of one chunk draws what the only pass of a whole batch does; the second has to draw it again."""

    def gradients(chunk):
        net = tiny_net().train()
        torch.manual_seed(5)
        found = batch_gradients(
            chunk=chunk, net=net, embed=lambda *part: F.normalize(F.dropout(embedding(net)(*part), 0.5), dim=1)
        )
        return {**found, "drawn after it": torch.rand(1)}

    whole = gradients(0)
    assert not differing(whole, gradients(PAIRS))
    assert differing(whole, batch_gradients() | {"drawn after it": whole["drawn after it"]})


@pytest.mark.parametrize("chunk", [0, 3])
def test_activations_that_are_computed_again_change_no_gradient(chunk):
    net = tiny_net().train()
    passes = []
    net.backbones["shared"].stages[0].blocks[0].register_forward_pre_hook(lambda *_: passes.append(1))
    save_memory(net.backbones["shared"], "test_convnext")
    assert not differing(batch_gradients(), batch_gradients(net=net, chunk=chunk))
    assert len(passes) == (4 if chunk == 0 else 18)  # twice a view; with three chunks once without a graph, too


@pytest.mark.parametrize("chunk", [0, 3])
def test_the_gradients_may_be_those_of_a_scaled_loss_which_is_told_as_it_is(chunk):
    found, scaled = batch_gradients(chunk=chunk), batch_gradients(chunk=chunk, scaled=lambda value: value * 1024)
    assert scaled.pop("loss") == found.pop("loss")
    assert not differing({name: value * 1024 for name, value in found.items()}, scaled)


def test_old_gradients_are_replaced_and_not_added_to():
    net = tiny_net().train()
    first = {name: value.clone() for name, value in batch_gradients(net=net).items()}
    assert not differing(first, batch_gradients(net=net))


def test_a_loss_that_is_no_number_leaves_the_gradients_alone():
    net = tiny_net().train()
    with torch.no_grad():
        net.logit_scale.fill_(float("nan"))
    found = batch_gradients(net=net)
    assert found.pop("loss").isnan()
    assert set(found.values()) == {None}


def test_a_backbone_that_normalises_over_the_batch_cannot_have_it_in_parts():
    with pytest.raises(BadConfig, match="test_resnet normalises over the batch"):
        refuse_batch_statistics(tiny_net(backbone="test_resnet"))
    refuse_batch_statistics(tiny_net())
