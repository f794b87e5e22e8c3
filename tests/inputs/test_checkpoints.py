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


def test_averaged_weights_are_refused_by_the_key_that_counts_them(tmp_path: Path) -> None:
    averaged = {"n_averaged": torch.tensor(5), **state(stand_in(), "model.", "module.")}
    with pytest.raises(BadCheckpoint, match="unknown: n_averaged; give a checkpoint as"):
        imported(averaged, tmp_path)


def test_what_is_no_wrapper_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match=r"unknown: ema\.logit_scale"):
        imported(state(stand_in(), "model.", "ema."), tmp_path)


@pytest.mark.parametrize("name", ["state_dict", "model", "model_state_dict", "net"])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_weights_that_a_trainer_saved_under_a_name_are_found(tmp_path: Path, name: str, wrapper: str) -> None:
    saved = {"epoch": 3, "optimizer": {"state": {}, "lr": 0.1}, name: state(stand_in(), "model.", wrapper)}
    kept = imported(saved, tmp_path).state_dict()  # type: ignore[arg-type]
    assert kept["logit_scale"].item() == 4.25
    assert torch.equal(kept["backbones.shared.stem.0.weight"], stand_in().state_dict()["stem.0.weight"])


def test_two_sets_of_weights_are_not_chosen_from(tmp_path: Path) -> None:
    one = state(stand_in(), "model.", "")
    with pytest.raises(BadCheckpoint, match="no plain list of tensors but state_dict"):
        imported({"state_dict": one, "state_dict_ema": one}, tmp_path)  # type: ignore[dict-item]
    with pytest.raises(BadCheckpoint, match="no plain list of tensors but model"):
        imported({"model": one, **one}, tmp_path)  # type: ignore[dict-item]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read(tmp_path: Path, kind: torch.dtype) -> None:
    kept = imported({key: one.to(kind) for key, one in state(stand_in(), "model.", "").items()}, tmp_path).state_dict()
    assert kept["backbones.shared.stem.0.weight"].dtype == torch.float32
    assert torch.allclose(kept["backbones.shared.stem.0.weight"], stand_in().state_dict()["stem.0.weight"], atol=1e-2)


def test_weights_that_are_whole_numbers_or_sparse_are_refused(tmp_path: Path) -> None:
    whole = {key: one.to(torch.int8) for key, one in state(stand_in(), "model.", "").items()}
    with pytest.raises(BadCheckpoint, match="no plain floating-point numbers: "):
        imported(whole, tmp_path)
    sparse = {key: one.to_sparse() if one.ndim == 2 else one for key, one in state(stand_in(), "model.", "").items()}
    with pytest.raises(BadCheckpoint, match=r"no plain floating-point|Validating sparse"):
        imported(sparse, tmp_path)


def test_a_file_of_another_name_and_one_that_was_not_fetched(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({key: one.contiguous() for key, one in state(stand_in(), "model.", "").items()}, tmp_path / "a.pth")
    import_sample4geo(tmp_path / "a.pth", "cvusa", tmp_path / "a", backbone=BACKBONE)
    assert load_bundle(tmp_path / "a").net.state_dict()["logit_scale"].item() == 4.25
    (tmp_path / "b.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    with pytest.raises(BadCheckpoint, match="pointer of Git LFS"):
        import_sample4geo(tmp_path / "b.pth", "cvusa", tmp_path / "b", backbone=BACKBONE)
