import re

import pytest
import timm
import torch

from model.common.errors import BadCheckpoint, BadConfig
from model.network.efficientnet_lite import timm_names
from model.network.pretrained import Pretrained, create_pretrained, find_pretrained

NAME = "tf_efficientnet_lite0"


def numbered(state, depths):
    """timm's state under the names of the packages, the blocks numbered through: the inverse, written on its own."""
    starts = [sum(depths[:stage]) for stage in range(len(depths))]
    plain = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    expanded = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"}
    expanded |= {"conv_pwl": "_project_conv", "bn3": "_bn2"}
    outside = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    out = {}
    for key, value in state.items():
        if match := re.fullmatch(r"blocks\.(\d)\.(\d)\.(\w+)\.(.+)", key):
            stage, block, layer, rest = match.groups()
            table = expanded if f"blocks.{stage}.{block}.conv_pwl.weight" in state else plain
            out[f"_blocks.{starts[int(stage)] + int(block)}.{table[layer]}.{rest}"] = value
        else:
            layer, rest = key.split(".", 1)
            out[f"{outside[layer]}.{rest}"] = value
    return out


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(3)
    made = timm.create_model(NAME, num_classes=1000)
    for buffer in made.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    return made.eval()


@pytest.fixture(scope="module")
def depths(net):
    return [len(stage) for stage in net.blocks]


def test_every_tensor_gets_its_name_back(net, depths):
    state = net.state_dict()
    back = timm_names(numbered(state, depths), depths)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[key], state[key]) for key in state)


def test_a_package_of_weights_becomes_the_backbone(net, depths, tmp_path, monkeypatch):
    package = tmp_path / "some_weights"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('not to be run')\n")
    torch.save(numbered(net.state_dict(), depths), package / "models" / "lite.pth")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find_pretrained("package:some_weights", NAME)
    made = create_pretrained(NAME, found).eval()
    picture = torch.rand(1, 3, 64, 64)
    assert torch.equal(made.forward_features(picture), net.forward_features(picture))


@pytest.mark.parametrize("source", ["package:no_such_package", "package:json", "package:../x"])
def test_a_package_that_is_not_there_or_has_no_weights_is_refused_by_name(source):
    with pytest.raises(BadConfig, match=re.escape(source)):
        find_pretrained(source, NAME)


def test_weights_of_another_network_are_refused(depths, tmp_path):
    for state in ({"stem.weight": torch.zeros(1)}, {"_blocks.99._bn1.weight": torch.zeros(1)}):
        with pytest.raises(BadCheckpoint, match="backbone"):
            timm_names(state, depths)
    path = tmp_path / "other.pth"
    torch.save({"_conv_stem.weight": torch.zeros(1, 3, 3, 3)}, path)
    with pytest.raises(BadCheckpoint, match="does not hold weights of"):
        create_pretrained(NAME, Pretrained(NAME, path, "a test", numbered=True))
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(BadCheckpoint, match="does not hold weights of"):
        create_pretrained(NAME, Pretrained(NAME, path, "a test", numbered=True))
