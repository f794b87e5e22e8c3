"""A file of PyTorch's that cannot be read says why in words of ours, whatever torch raises."""

import argparse
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model.network.torch_files import load_torch_file

WEIGHTS = {"weight": torch.arange(600.0)}


def saved(**options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(WEIGHTS, buffer, **options)
    return buffer.getvalue()


def reason(path: Path) -> str:
    with pytest.raises(ValueError, match=r"it |zip file") as caught:
        load_torch_file(path)
    return str(caught.value)


@pytest.mark.parametrize("as_zip", [True, False])
def test_tensors_are_read_from_both_forms(tmp_path: Path, as_zip: bool) -> None:
    (tmp_path / "a.pth").write_bytes(saved(_use_new_zipfile_serialization=as_zip))
    assert torch.equal(load_torch_file(tmp_path / "a.pth")["weight"], WEIGHTS["weight"])


@pytest.mark.parametrize(
    ("value", "name"),
    [(argparse.Namespace(lr=0.1), "argparse.Namespace"), (np.float64(0.9), "multiarray.scalar"), (Path(), "PosixPath")],
)
def test_an_object_that_would_be_run_is_named_without_advice_to_run_it(tmp_path: Path, value: Any, name: str) -> None:
    torch.save({"state_dict": WEIGHTS, "more": value}, tmp_path / "a.pth")
    told = reason(tmp_path / "a.pth")
    assert f"{name}, which is not run; save the weights alone" in told
    assert "weights_only" not in told


def test_a_whole_network_is_told_to_be_saved_as_its_weights(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "a.pth")
    assert "the class torch.nn.modules.linear.Linear, which is not run" in reason(tmp_path / "a.pth")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_program_is_told_from_weights(tmp_path: Path) -> None:
    class Constant(torch.nn.Module):
        def forward(self) -> int:
            return 1

    torch.jit.script(Constant()).save(str(tmp_path / "a.pth"))
    assert "it is a TorchScript program" in reason(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty (0 bytes)"),
        (b"<html>404", "it begins with b'<html>404', as no file of torch's does"),
        (b"hello world this is text", "it begins with b'hello world ', as no file"),
        (saved()[:-900], "it is cut off or damaged"),
        (saved(_use_new_zipfile_serialization=False)[:-900], "it is a pickle that is cut off, damaged or none of"),
    ],
)
def test_a_file_that_is_none_says_so(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    assert told in reason(tmp_path / "a.pth")


def test_an_archive_of_other_things_is_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("readme.txt", "no weights")
    assert "torch finds no weights in this zip file (" in reason(tmp_path / "a.pth")


def test_a_file_that_is_not_there_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_torch_file(tmp_path / "a.pth")
