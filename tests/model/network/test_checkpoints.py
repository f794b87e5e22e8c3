import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.common.errors import BadCheckpoint, BadConfig, OutputExists
from model.network.checkpoints import load_bundle, load_exactly, read_weights, save_bundle, start_from
from tests.model.tiny import tiny_net


@pytest.fixture
def folder(tmp_path):
    save_bundle(str(tmp_path / "b"), tiny_net(), name="tiny", provenance={"steps": 3}, metrics={"recall@1": 50.0})
    return tmp_path / "b"


def weights(folder):
    return load_file(folder / "weights.safetensors")


def test_a_bundle_comes_back_as_it_was_saved(folder):
    bundle = load_bundle(folder)
    assert (bundle.name, bundle.provenance, bundle.metrics) == ("tiny", {"steps": 3}, {"recall@1": 50.0})
    for key, value in tiny_net().state_dict().items():
        assert torch.equal(bundle.net.state_dict()[key], value.half().float())


def test_the_same_bundle_has_the_same_digest_wherever_it_lies(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert load_bundle(folder).digest == load_bundle(tmp_path / "copy").digest
    assert len(load_bundle(folder).digest) == 64


def test_other_weights_or_another_spec_change_the_digest(folder, tmp_path):
    digest = load_bundle(folder).digest
    save_bundle(tmp_path / "seed", tiny_net(seed=1), name="tiny", provenance={"steps": 3}, metrics={})
    save_bundle(tmp_path / "name", tiny_net(), name="other", provenance={"steps": 3}, metrics={})
    assert len({digest, load_bundle(tmp_path / "seed").digest, load_bundle(tmp_path / "name").digest}) == 3


def test_a_missing_unknown_or_misshapen_weight_is_an_error(folder):
    full = weights(folder)
    name = next(iter(full))
    for damaged in (
        {k: v for k, v in full.items() if k != name},
        {**full, "more": full[name].clone()},
        {**full, name: full[name][:1]},
    ):
        save_file(damaged, folder / "weights.safetensors")
        with pytest.raises(BadCheckpoint, match=r"does not fit its spec\.json"):
            load_bundle(folder)


def test_weights_that_are_not_numbers_are_an_error(folder):
    full = weights(folder)
    full["logit_scale"] = torch.tensor(float("nan"), dtype=torch.float16)
    save_file(full, folder / "weights.safetensors")
    with pytest.raises(BadCheckpoint, match="not finite in logit_scale"):
        load_bundle(folder)


def test_truncated_weights_are_an_error(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadCheckpoint, match="cannot be read"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 99}, "format 99"),
        ({"model": {"backbone": "test_convnext", "colour": 1}}, "unknown key colour"),
        ({"inputs": 3}, "object"),
    ],
)
def test_a_spec_that_cannot_be_is_an_error(folder, change, reason):
    path = folder / "spec.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BadCheckpoint, match=reason):
        load_bundle(folder)


def test_an_unknown_name_says_which_are_packaged():
    with pytest.raises(BadCheckpoint, match="packaged ones are"):
        load_bundle("no-such-bundle")


def test_every_file_of_a_bundle_can_be_read_by_others(folder):
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in folder.iterdir())


def test_saving_never_overwrites(folder):
    with pytest.raises(OutputExists):
        save_bundle(folder, tiny_net(), name="tiny", provenance={}, metrics={})


def test_a_failed_save_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        save_bundle(tmp_path / "b", tiny_net(), name="tiny", provenance={}, metrics={"recall@1": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("provenance", "told"),
    [
        ({"trained_on": "CVUSA"}, "CVUSA"),
        ({"run": {"data": {"train": "world:train"}}}, "world:train"),
        ({"run": "by hand"}, None),
        ({"run": {"data": None}}, None),
        ({}, None),
    ],
)
def test_what_it_was_trained_on_is_read_from_any_provenance(tmp_path, provenance, told):
    save_bundle(tmp_path / "b", tiny_net(), name="tiny", provenance=provenance, metrics={})
    assert load_bundle(tmp_path / "b").trained_on == told


def test_a_bundle_from_before_the_maps_had_settings_loads_as_it_was(folder):
    spec = json.loads((folder / "spec.json").read_text())
    del spec["model"]["map_spread"], spec["model"]["maps"]
    (folder / "spec.json").write_text(json.dumps(spec))
    net = load_bundle(folder).net
    assert (net.spec.map_spread, net.spec.maps) == (0.02, 1)


def test_a_network_starts_from_a_bundle_of_its_own_kind_only(folder):
    net = tiny_net(seed=3, map_spread=0.5)
    assert start_from(net, folder) == load_bundle(folder).digest
    kept = load_bundle(folder).net.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in net.state_dict().items())
    with pytest.raises(BadConfig, match=r"another network \(dim 16 -> 8"):
        start_from(tiny_net(dim=8), folder)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"train": "world:train"}, (100.0, 100.0)),
        ({"train": "world:train-wide", "augment": {"ground": [0.5, 2.0]}}, (50.0, 200.0)),
        ({"train": "pairs.csv"}, None),
        ({"train": "pairs.csv", "tile_m": [60.0, 80.0], "augment": {"ground": [0.5, 1.0]}}, (30.0, 80.0)),
        ({"train": "pairs.csv", "tile_m": [150.0, 150.0], "replay": "world:replay"}, (100.0, 150.0)),
        ({"train": "aerial:photos + world:train"}, (100.0, 100.0)),
    ],
)
def test_a_bundle_tells_the_ground_sizes_it_was_trained_on(tmp_path, data, expected):
    save_bundle(tmp_path / "b", tiny_net(), name="tiny", provenance={"run": {"data": data}}, metrics={})
    assert load_bundle(tmp_path / "b").ground_m == expected


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
    with pytest.raises(BadCheckpoint, match=r"none\.pth cannot be read as weights: no such file or directory; mend$"):
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
