import json
import shutil

import pytest

from model.common.errors import BadCheckpoint
from model.network.bundle_files import read_bundle_info, resolve_bundle
from model.network.encoder import Encoder
from model.network.exports import has_exports, require_exports
from tests.model.demo_pictures import canvases


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(resolve_bundle("demo"), tmp_path / "demo")
    return tmp_path / "demo"


def test_the_packaged_bundle_is_exported_and_its_exports_are_small():
    info = read_bundle_info("demo")
    exports = require_exports(info)
    assert exports.dim == Encoder.load("demo", device="cpu").encode_ground(canvases(1)).shape[1]
    weights = (info.folder / "weights.safetensors").stat().st_size
    assert sum(path.stat().st_size for path in exports.paths.values()) < weights / 5  # weights are on disk once


def tampered(folder):
    with (folder / "ground.onnx").open("ab") as file:
        file.write(b"\0")


def tampered_sweep(folder):
    with (folder / "headings.onnx").open("ab") as file:
        file.write(b"\0")


def foreign(folder):
    spec = json.loads((folder / "spec.json").read_bytes())
    (folder / "spec.json").write_text(json.dumps(spec | {"name": "another"}))


def lost(folder):
    (folder / "satellite.onnx").unlink()


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (tampered, r"ground\.onnx was changed since it was exported"),
        (tampered_sweep, r"headings\.onnx was changed since it was exported"),
        (foreign, "belongs to other weights or another specification"),
        (lost, r"satellite\.onnx is missing"),
    ],
)
def test_exports_that_are_not_the_bundles_own_are_refused(folder, harm, reason):
    harm(folder)
    with pytest.raises(BadCheckpoint, match=f"{reason}; run `python -m model export` again"):
        Encoder.load(folder, device="cpu")


def test_a_bundle_without_all_headings_at_once_does_without(folder):
    content = json.loads((folder / "exports.json").read_bytes())
    del content["files"]["headings.onnx"]
    (folder / "exports.json").write_text(json.dumps(content))
    (folder / "headings.onnx").unlink()
    assert Encoder.load("demo", device="cpu").sweeps
    assert not Encoder.load(folder, device="cpu").sweeps


def test_a_bundle_without_exports_says_how_to_make_them(folder):
    (folder / "exports.json").unlink()
    info = read_bundle_info(folder)
    assert not has_exports(info)
    with pytest.raises(BadCheckpoint, match=r"was not exported.*python -m model export --checkpoint"):
        require_exports(info)
