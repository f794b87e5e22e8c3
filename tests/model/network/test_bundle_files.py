import json
import shutil

import numpy as np
import pytest

from model.common.errors import BadCheckpoint
from model.network.bundle_files import bundle_digest, read_bundle_info, read_tensor_table, resolve_bundle
from model.network.checkpoints import load_bundle


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(resolve_bundle("demo"), tmp_path / "demo")
    return tmp_path / "demo"


def test_what_a_bundle_says_of_itself_is_what_its_loaded_network_has(folder):
    info, bundle = read_bundle_info(folder), load_bundle(folder)
    assert (info.name, info.digest, info.inputs) == (bundle.name, bundle.digest, bundle.net.inputs)
    assert (info.trained_on, info.ground_m) == (bundle.trained_on, bundle.ground_m)


def test_the_table_of_tensors_says_where_the_numbers_lie(folder):
    table, net = read_tensor_table(folder / "weights.safetensors"), load_bundle(folder).net
    assert set(table) == set(net.state_dict())
    place = table["projection.bias"]
    stored = (folder / "weights.safetensors").read_bytes()[place.offset : place.offset + place.length]
    assert (place.dtype, place.shape) == ("F16", (net.dim,))
    assert np.array_equal(np.frombuffer(stored, np.float16).astype(np.float32), net.projection.bias.numpy())


def test_the_identity_covers_weights_specification_and_exports(folder):
    before = {bundle_digest(folder)}
    spec = json.loads((folder / "spec.json").read_bytes())
    (folder / "spec.json").write_text(json.dumps(spec | {"name": "another"}))
    before.add(bundle_digest(folder))
    with (folder / "weights.safetensors").open("ab") as file:
        file.write(b"x")
    before.add(bundle_digest(folder))
    (folder / "exports.json").unlink()
    before.add(bundle_digest(folder))
    assert len(before) == 4


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("weights.safetensors", b"\xff" * 64, "cannot be read as safetensors"),
        ("weights.safetensors", b"", "cannot be read as safetensors"),
        ("weights.safetensors", b"\x08" + bytes(7) + b'{"a": 1}', "cannot be read as safetensors"),
    ],
)
def test_a_damaged_file_is_named(folder, name, content, reason):
    (folder / name).write_bytes(content)
    with pytest.raises(BadCheckpoint, match=reason):
        read_tensor_table(folder / name)


def test_an_export_record_without_its_parts_is_refused(folder):
    (folder / "exports.json").write_text("{}")
    with pytest.raises(BadCheckpoint, match="lacks files, made_from or dim"):
        read_bundle_info(folder)
