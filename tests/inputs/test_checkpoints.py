"""Checkpoints of wrapped models: what torch.compile and DataParallel put before every key is taken off."""

from pathlib import Path

import pytest
import torch

from model.common.errors import BadCheckpoint
from model.network.checkpoints import load_bundle
from model.network.import_sample4geo import import_sample4geo
from tests.model.network.test_import_sample4geo import BACKBONE, stand_in, state

WRAPPERS = ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."]


def imported(tensors: dict[str, torch.Tensor], folder: Path) -> torch.nn.Module:
    torch.save(tensors, folder / "weights.pth")
    import_sample4geo(folder / "weights.pth", "cvusa", folder / "bundle", backbone=BACKBONE)
    net: torch.nn.Module = load_bundle(folder / "bundle").net
    return net


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("prefix", ["model.", "model._orig_mod.", "model.module."])
def test_wrappers_of_the_whole_model_and_of_the_encoder_are_taken_off(
    tmp_path: Path, wrapper: str, prefix: str
) -> None:
    net = imported(state(stand_in(), prefix, wrapper), tmp_path)
    kept = net.state_dict()
    assert kept["logit_scale"].item() == 4.25
    assert torch.equal(kept["backbones.shared.stem.0.weight"], stand_in().state_dict()["stem.0.weight"])


def test_an_encoder_wrapped_alone_keeps_the_temperature_beside_it(tmp_path: Path) -> None:
    assert imported(state(stand_in(), "_orig_mod.", ""), tmp_path).state_dict()["logit_scale"].item() == 4.25


def test_what_is_no_wrapper_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match=r"unknown: ema\.logit_scale"):
        imported(state(stand_in(), "model.", "ema."), tmp_path)
