from dataclasses import replace

import pytest
import torch

from model.common.errors import BadConfig
from model.inputs.transforms import InputSpec
from model.network.clnet import CLNet, CLNetSpec
from model.training.config import OptimSpec, RunSpec
from model.training.freezing import freeze_levels, hold_norms, refuse_shared_statistics
from model.training.optim import create_optimizers, set_learning_rate
from model.training.trainer import Trainer
from tests.model.tiny import tiny_net

LITE = CLNetSpec(backbone="tf_efficientnet_lite0", levels=(2, 3), dim=32)
INPUTS = InputSpec(satellite_px=64, ground_height_px=32, ground_width_px=64, polar=True)


def pictures():
    random = torch.Generator().manual_seed(1)
    return [torch.randint(0, 255, (4, *size, 3), generator=random, dtype=torch.uint8) for size in ((32, 64), (64, 64))]


def trainer(**optim):
    run = RunSpec(model=LITE, inputs=INPUTS, optim=OptimSpec(batch=4, steps=3, warmup_steps=0, **optim))
    return Trainer(run, device=torch.device("cpu"))


def test_a_norm_that_both_views_share_is_refused_until_it_is_frozen():
    with pytest.raises(BadConfig, match="frozen_norms"):
        trainer()
    refuse_shared_statistics(CLNet(replace(LITE, share_weights=False), INPUTS), OptimSpec())
    refuse_shared_statistics(tiny_net(), OptimSpec())  # ConvNeXt has no BatchNorm


def test_frozen_norms_see_in_training_what_the_published_network_sees():
    one = trainer(frozen_norms=True)
    before = {name: value.clone() for name, value in one.net.named_buffers()}
    ground, satellite = pictures()
    one.advance(ground, satellite)
    assert all(torch.equal(value, before[name]) for name, value in one.net.named_buffers())
    with torch.no_grad():
        training = one._embed(ground, "ground")
        one.net.eval()
        assert torch.allclose(training, one._embed(ground, "ground"), atol=1e-6)
    one.net.train()
    hold_norms(one.net)
    held = [isinstance(module, torch.nn.BatchNorm2d) for module in one.net.modules() if not module.training]
    assert sum(held) > 20


def test_frozen_levels_stay_and_all_else_moves():
    one = trainer(frozen_norms=True, frozen_levels=3, lr=0.1)
    before = {name: value.detach().clone() for name, value in one.net.named_parameters()}
    for _ in range(2):  # the first step of a map that starts flat may leave the converter where it is
        one.advance(*pictures())
    moved = {name for name, value in one.net.named_parameters() if not torch.equal(value, before[name])}
    frozen = {name for name in before if name.startswith(("backbones.shared.conv_stem", "backbones.shared.bn1"))}
    frozen |= {name for name in before if name.startswith(tuple(f"backbones.shared.blocks.{n}." for n in range(3)))}
    assert frozen
    assert not moved & frozen
    rest = {name for name in before if name.startswith("backbones.") and name not in frozen}
    assert rest
    assert rest <= moved
    with pytest.raises(BadConfig, match="frozen_levels is 9"):
        freeze_levels(one.net, 9)


def test_a_convnext_freezes_by_its_stages():
    net = tiny_net()
    freeze_levels(net, 1)
    still = {name for name, value in net.named_parameters() if not value.requires_grad}
    assert still
    assert all(
        name.startswith(("backbones.shared.stem", "backbones.shared.stages_0"))
        or ".stages.0." in name
        or ".stem" in name
        for name in still
    )


def test_the_backbone_may_move_slower_than_the_rest():
    net = tiny_net()
    for optimizer in "adamw", "muon":
        made = create_optimizers(net, OptimSpec(optimizer=optimizer, backbone_lr=0.25))
        set_learning_rate(made, 0.5)
        rates = {id(value): group["lr"] for one in made for group in one.param_groups for value in group["params"]}
        for name, value in net.named_parameters():
            assert rates[id(value)] == (0.125 if name.startswith("backbones.") else 0.5), name
