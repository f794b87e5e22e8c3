import pytest
import torch
from safetensors.torch import save_file

from model.common.errors import BadCheckpoint
from model.network.weights import load_exactly, read_weights


class Bomb:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return (print, ("executed",))


def load(weights, names=None):
    net = torch.nn.Linear(2, 1)
    load_exactly(
        net, weights, names or {"weight": "weight", "bias": "bias"}, source="a.pth does not fit", remedy="mend"
    )
    return net


GOOD = {"weight": torch.ones(1, 2), "bias": torch.ones(1)}


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_tensors_come_back_by_name_from_either_format(tmp_path, name):
    (save_file if name.endswith("tensors") else torch.save)(GOOD, tmp_path / name)
    assert {key: value.tolist() for key, value in read_weights(tmp_path / name, remedy="mend").items()} == {
        "weight": [[1.0, 1.0]], "bias": [1.0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([torch.ones(1)], "holds a list where"),
        ({}, "but nothing"),
        ({"epoch": 3, "state": {"a": torch.ones(1)}}, r"but epoch \(int\), state \(dict\)"),
        ({str(number): number for number in range(5)}, r"0 \(int\), 1 \(int\), 2 \(int\) and 2 more"),
    ],
)
def test_anything_else_than_tensors_by_name_is_refused(tmp_path, content, reason):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(BadCheckpoint, match=reason):
        read_weights(tmp_path / "a.pth", remedy="mend")


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04half"])
def test_a_file_that_is_no_checkpoint_is_refused_in_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadCheckpoint, match="cannot be read as weights") as caught:
        read_weights(tmp_path / name, remedy="mend it")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; mend it")


def test_nothing_inside_a_checkpoint_is_executed(tmp_path, capsys):
    torch.save({"weight": Bomb()}, tmp_path / "a.pth")
    with pytest.raises(BadCheckpoint, match="cannot be read as weights"):
        read_weights(tmp_path / "a.pth", remedy="mend")
    assert "executed" not in capsys.readouterr().out


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadCheckpoint, match=r"none\.pth"):
        read_weights(tmp_path / "none.pth", remedy="mend")


def test_weights_arrive_under_the_names_of_the_file():
    net = load({"w": GOOD["weight"], "b": GOOD["bias"].half()}, {"weight": "w", "bias": "b"})
    assert (net.weight.tolist(), net.bias.dtype) == ([[1.0, 1.0]], torch.float32)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({"weight": GOOD["weight"]}, "a.pth does not fit: missing: bias; mend"),
        ({**GOOD, "more": GOOD["bias"]}, "unknown: more"),
        ({**GOOD, "bias": torch.ones(3)}, r"of another shape: bias \(3,\) for \(1,\)"),
        ({"other": GOOD["bias"]}, "missing: weight, bias; unknown: other"),
        ({**GOOD, "bias": torch.tensor([float("nan")])}, "not finite in bias"),
    ],
)
def test_a_misfit_names_the_keys(weights, reason):
    with pytest.raises(BadCheckpoint, match=reason):
        load(weights)
