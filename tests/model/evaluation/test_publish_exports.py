"""The one place where tests export a network; elsewhere they use the exports of the packaged one."""

import json

import numpy as np
import onnx
import pytest
from PIL import Image

from model.common.errors import BadExport
from model.data.manifest import read_manifest
from model.evaluation.publish_exports import export_bundle
from model.network.bundle_files import bundle_digest, read_tensor_table
from model.network.checkpoints import save_bundle
from model.network.encoder import Encoder
from tests.model.tiny import tiny_net, write_pairs


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bundle, its digest before it was exported, and the measured parity."""
    root = tmp_path_factory.mktemp("export")
    save_bundle(root / "bundle", tiny_net(), name="tiny", provenance={}, metrics={})
    before = bundle_digest(root / "bundle")
    return root / "bundle", before, export_bundle(root / "bundle", read_manifest(write_pairs(root))).parity


def test_an_exported_bundle_runs_without_torch_and_gives_the_same(made):
    folder, before, parity = made
    assert (parity.engine, parity.pictures, parity.recall) == ("onnxruntime", 18, parity.recall_reference)
    assert parity.least_cosine > 0.99999
    assert bundle_digest(folder) != before
    pixels = np.random.default_rng(0).integers(0, 255, (3, 32, 64, 3), np.uint8)
    reference, light = (
        Encoder.load(folder, device="cpu", engine=engine, precision="float32") for engine in ("torch", "auto")
    )
    assert light.engine.name == "onnxruntime"
    assert np.abs(light.encode_ground(pixels) - reference.encode_ground(pixels)).max() < 1e-6


def test_weights_are_on_disk_once(made):
    folder, *_ = made
    stored = read_tensor_table(folder / "weights.safetensors")
    graph = onnx.load(folder / "ground.onnx", load_external_data=False).graph
    offsets = {int(pair.value) for one in graph.initializer for pair in one.external_data if pair.key == "offset"}
    used = {key: place for key, place in stored.items() if key.startswith(("backbones", "norm", "projection"))}
    assert [key for key, place in used.items() if place.offset not in offsets and len(place.shape) > 1] == []
    assert sum(len(one.raw_data) for one in graph.initializer) < 20_000
    assert json.loads((folder / "exports.json").read_bytes())["dim"] == 16


def test_exports_that_do_not_compute_what_torch_does_are_not_kept(made, tmp_path, monkeypatch):
    """The graphs of one network over the weights of another: the folded maps inside do not belong to them."""

    def copy_foreign(_net, _view, _folder, path):
        path.write_bytes((made[0] / path.name).read_bytes())

    monkeypatch.setattr("model.evaluation.publish_exports.write_graph", copy_foreign)
    save_bundle(tmp_path / "other", tiny_net(seed=1, map_spread=5.0), name="tiny", provenance={}, metrics={})
    before = bundle_digest(tmp_path / "other")
    (tmp_path / "pairs").mkdir()
    manifest, random = write_pairs(tmp_path / "pairs"), np.random.default_rng(0)
    for path in (tmp_path / "pairs").glob("*.png"):  # in a plain picture no position differs, and no map matters
        Image.fromarray(random.integers(0, 255, (40, 80, 3), np.uint8)).save(path)
    with pytest.raises(BadExport, match=r"the least cosine of a picture is .*, below 0\.999"):
        export_bundle(tmp_path / "other", read_manifest(manifest))
    assert bundle_digest(tmp_path / "other") == before
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == [
        "README.md", "metrics.json", "spec.json", "weights.safetensors",
    ]  # fmt: skip
