import logging
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save, save_file

from model.common.errors import BadCheckpoint, BadConfig
from model.data.manifest import read_manifest
from model.network.clnet import CLNet, CLNetSpec
from model.network.pretrained import Pretrained, find_pretrained
from model.training.trainer import Trainer, train
from tests.model.tiny import INPUTS, tiny_run, write_pairs

NAME = "test_convnext"
REPOSITORY = "timm/test_convnext.r160_in1k"
COMMIT = "0123456789" * 4


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """A hub with an empty cache that cannot be reached."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture(scope="module")
def tensors():
    """What timm publishes under the name: the network with its classifier."""
    torch.manual_seed(7)
    model = timm.create_model(NAME)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.5)
    return model.state_dict()


@pytest.fixture
def file(tmp_path, tensors):
    save_file(tensors, tmp_path / "own.safetensors")
    return tmp_path / "own.safetensors"


@contextmanager
def serving(files, monkeypatch):
    """A server that answers as the hub does, in its place."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            content = files.get(self.path)
            self.send_response(200 if content else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            headers = {"ETag": '"abc"', "X-Repo-Commit": COMMIT} if content else {"X-Error-Code": "EntryNotFound"}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            return content

        def do_GET(self):
            self.wfile.write(self.do_HEAD() or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def cache(hub, content):
    """What an earlier download leaves."""
    folder = hub / f"models--{REPOSITORY.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "snapshots" / COMMIT / "model.safetensors").write_bytes(content)


def test_weights_come_from_timms_local_cache_and_the_log_says_so(hub, tensors, caplog):
    cache(hub, save(tensors))
    with caplog.at_level(logging.INFO):
        found = find_pretrained("timm", NAME)
    assert (found.name, found.origin) == (NAME, "timm's local cache")
    assert f"starts from the weights {NAME}, from timm's local cache: {hub}" in caplog.text


@pytest.mark.parametrize("published", ["model.safetensors", "pytorch_model.bin"])
def test_weights_come_from_the_network_once_and_the_log_says_so(tensors, monkeypatch, caplog, published):
    with serving({f"/{REPOSITORY}/resolve/main/{published}": save(tensors)}, monkeypatch):
        with caplog.at_level(logging.INFO):
            found = find_pretrained("timm", NAME)
        assert (found.origin, found.path.name) == ("the network", published)
        assert "from the network" in caplog.text
        assert find_pretrained("timm", NAME) == replace(found, origin="timm's local cache")
        assert found.path.read_bytes() == save(tensors)


def test_a_repository_without_weights_is_told(monkeypatch):
    with (
        serving({}, monkeypatch),
        pytest.raises(BadConfig, match=r"holds none of model\.safetensors, pytorch_model\.bin"),
    ):
        find_pretrained("timm", NAME)


def test_a_missing_network_is_one_line_that_says_what_to_do():
    with pytest.raises(
        BadConfig, match=r"not in timm's local cache and timm/test_convnext.* cannot be reached"
    ) as told:
        find_pretrained("timm", NAME)
    assert "\n" not in str(told.value)
    assert 'give "file:PATH" of a copy' in str(told.value)


@pytest.mark.parametrize(
    ("source", "backbone", "reason"),
    [
        ("imagenet", NAME, "pretrained is 'imagenet'; give"),
        ("", NAME, "pretrained is ''; give"),
        ("timm:", NAME, "pretrained is 'timm:'; give"),
        ("file:", NAME, "pretrained is 'file:'; give"),
        ("file:none.pth", NAME, r"there is no file none\.pth"),
        ("timm:convnext_base", NAME, "one architecture for both"),
        ("timm:test_convnext.nope", NAME, r"it has: test_convnext\.r160_in1k"),
        ("timm", "no_such_net", "no model named"),
        ("timm", "convnext_atto_rms", "publishes no weights"),
    ],
)
def test_a_source_that_cannot_be_is_refused(source, backbone, reason):
    with pytest.raises(BadConfig, match=reason):
        find_pretrained(source, backbone)


def test_another_tag_of_the_architecture_can_be_named(hub, tensors):
    cache(hub, save(tensors))
    assert find_pretrained("timm:test_convnext.r160_in1k", NAME).name == "test_convnext.r160_in1k"


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_network_starts_from_all_weights_of_a_file(tmp_path, tensors, suffix):
    path = tmp_path / f"own.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(tensors, path)
    net = CLNet(CLNetSpec(NAME, (1, 2)), INPUTS, pretrained=find_pretrained(f"file:{path}", NAME))
    for key, value in net.backbones["shared"].state_dict().items():
        assert torch.equal(value, tensors[key])


def test_where_the_last_level_alone_is_used_the_norm_of_the_head_comes_along(file, tensors):
    spec = CLNetSpec(NAME, (3,), dim=0, ncm=False, nec=False, gfr=False, share_weights=False)
    net = CLNet(spec, INPUTS, pretrained=find_pretrained(f"file:{file}", NAME))
    assert torch.equal(net.norm.weight, tensors["head.norm.weight"])
    assert torch.equal(net.norm.bias, tensors["head.norm.bias"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda full: full.pop("stem.0.weight"), r"Missing key.*stem\.0\.weight"),
        (lambda full: full.update({"stem.0.weight": torch.zeros(3)}), "size mismatch for stem"),
        (lambda full: full.update({"more": torch.zeros(3)}), 'Unexpected key.*"more"'),
        (lambda full: full.clear(), "Missing key"),
    ],
    ids=["missing", "misshapen", "unknown", "empty"],
)
def test_weights_of_another_architecture_are_refused_in_one_line(tmp_path, tensors, change, reason):
    full = dict(tensors)
    change(full)
    torch.save(full, tmp_path / "own.pth")
    with pytest.raises(BadCheckpoint, match=reason) as told:
        CLNet(CLNetSpec(NAME, (1, 2)), INPUTS, pretrained=Pretrained(NAME, tmp_path / "own.pth", "a local file"))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["own.pth", "own.safetensors"])
def test_a_file_that_is_no_checkpoint_is_refused_in_one_line(tmp_path, name):
    (tmp_path / name).write_bytes(b"<html>not found</html>")
    with pytest.raises(BadCheckpoint, match="does not hold the weights test_convnext") as told:
        CLNet(CLNetSpec(NAME, (1, 2)), INPUTS, pretrained=Pretrained(NAME, tmp_path / name, "a local file"))
    assert "\n" not in str(told.value)


def test_a_run_starts_from_the_file_and_needs_it_no_more_when_it_is_resumed(tmp_path, file, tensors):
    (tmp_path / "data").mkdir()
    pairs = read_manifest(write_pairs(tmp_path / "data"))
    run = replace(tiny_run(steps=2), pretrained=f"file:{file}")
    trainer = Trainer(run, device=torch.device("cpu"))
    assert torch.equal(trainer.net.backbones["shared"].stem[0].weight, tensors["stem.0.weight"])
    first = train(run, pairs, pairs, tmp_path / "run", device="cpu")
    (first / "spec.json").unlink()
    first.rename(tmp_path / "gone")
    file.unlink()
    assert train(run, pairs, pairs, tmp_path / "run", device="cpu").is_dir()


def test_a_run_that_finds_no_weights_leaves_no_folder_behind(tmp_path):
    (tmp_path / "data").mkdir()
    pairs = read_manifest(write_pairs(tmp_path / "data"))
    with pytest.raises(BadConfig, match="cannot be reached"):
        train(replace(tiny_run(), pretrained="timm"), pairs, pairs, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()
