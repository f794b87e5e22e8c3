import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from model.__main__ import main
from model.common.errors import BadCheckpoint, BadConfig, OutputExists
from model.network.checkpoints import load_bundle
from model.network.encoder import Encoder
from model.network.forward import normalise
from model.network.import_sample4geo import import_sample4geo, sample4geo_inputs

BACKBONE = "test_convnext"  # the layout of ConvNeXt-Base with a few thousand weights


def stand_in(seed=0):
    """What Sample4Geo's code would hold in memory: timm's model, and the temperature beside it."""
    torch.manual_seed(seed)
    model = timm.create_model(BACKBONE, num_classes=0).eval()
    with torch.no_grad():
        for value in model.parameters():  # so that a norm left out, or a bias, would be seen
            value.add_(torch.randn_like(value) * 0.1)
    return model


def state(model, prefix="model.", wrapper=""):
    tensors = {f"{wrapper}{prefix}{key}": value for key, value in model.state_dict().items()}
    return {f"{wrapper}logit_scale": torch.tensor(4.25), **tensors}


@pytest.fixture
def checkpoint(tmp_path):
    torch.save(state(stand_in()), tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


def imported(checkpoint, tmp_path, benchmark="cvusa"):
    import_sample4geo(checkpoint, benchmark, tmp_path / "bundle", backbone=BACKBONE)
    return tmp_path / "bundle"


@pytest.mark.parametrize("benchmark", ["cvusa", "university"])
def test_the_bundle_gives_the_vectors_of_timms_own_model(checkpoint, tmp_path, benchmark):
    encoder = Encoder.load(imported(checkpoint, tmp_path, benchmark), device="cpu", precision="float32")
    random, (width, height) = np.random.default_rng(0), encoder.inputs.ground_size_px
    for encode, shape in ((encoder.encode_satellite, (384, 384)), (encoder.encode_ground, (height, width))):
        pixels = random.integers(0, 256, (2, *shape, 3), np.uint8)
        with torch.inference_mode():
            vectors = stand_in()(normalise(torch.from_numpy(pixels), encoder.inputs))
        expected = torch.nn.functional.normalize(vectors, dim=1).numpy()
        assert np.abs(encode(pixels) - expected).max() < 1e-5


def test_a_bundle_keeps_every_weight_to_the_bit_and_says_where_it_is_from(checkpoint, tmp_path):
    bundle = load_bundle(imported(checkpoint, tmp_path))
    kept = bundle.net.state_dict()
    for key, value in stand_in().state_dict().items():
        own = key.removeprefix("head.") if key.startswith("head.norm") else f"backbones.shared.{key}"
        assert torch.equal(kept.pop(own), value)
    assert {key: value.item() for key, value in kept.items()} == {"logit_scale": 4.25}
    assert (bundle.name, bundle.net.dim) == ("sample4geo-cvusa", 64)
    assert bundle.provenance["file"] == "weights.pth"
    assert len(bundle.provenance["sha256"]) == 64


@pytest.mark.parametrize(
    ("benchmark", "ground"),
    [
        ("cvusa", (768, 140)),
        ("cvact", (768, 140)),
        ("vigor-same", (768, 384)),
        ("vigor-cross", (768, 384)),
        ("university", (384, 384)),
    ],
)
def test_each_published_checkpoint_has_its_sizes_and_normalisation(benchmark, ground):
    inputs = sample4geo_inputs(benchmark)
    assert (inputs.satellite_size_px, inputs.ground_size_px) == ((384, 384), ground)
    assert inputs.ground_vertical_deg is None
    assert (inputs.mean, inputs.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.mark.parametrize(("prefix", "wrapper"), [("", ""), ("model.", "module."), ("encoder.net.", "")])
def test_the_prefix_of_the_encoder_is_found(tmp_path, prefix, wrapper):
    torch.save(state(stand_in(), prefix, wrapper), tmp_path / "weights.pth")
    assert load_bundle(imported(tmp_path / "weights.pth", tmp_path)).net.logit_scale == 4.25


def test_safetensors_are_read_too(tmp_path):
    save_file(state(stand_in()), tmp_path / "weights.safetensors")
    assert load_bundle(imported(tmp_path / "weights.safetensors", tmp_path)).net.logit_scale == 4.25


def changed(change):
    full = state(stand_in())
    change(full)
    return full


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        (changed(lambda full: full.pop("logit_scale")), "missing: logit_scale"),
        (changed(lambda full: full.pop("model.head.norm.bias")), r"missing: model\.head\.norm\.bias"),
        (changed(lambda full: full.update({"model.head.fc.bias": torch.ones(3)})), r"unknown: model\.head\.fc\.bias"),
        (changed(lambda full: full.update({"logit_scale": torch.ones(2)})), r"logit_scale \(2,\) for \(\)"),
        (state(timm.create_model("test_convnext2", num_classes=0)), "does not fit Sample4Geo with test_convnext"),
        (state(timm.create_model("test_resnet", num_classes=0)), r"no key stem\.0\.weight"),
        (
            state(stand_in(), "model_1.") | state(stand_in(), "model_2."),
            r"2 encoders \(under model_1\., model_2\.\) where one",
        ),
        (changed(lambda full: full["model.head.norm.bias"].fill_(float("inf"))), "not finite in model"),
    ],
    ids=["no temperature", "missing", "unknown", "misshapen", "other sizes", "other family", "two", "infinite"],
)
def test_a_checkpoint_that_does_not_fit_is_refused_in_one_line(tmp_path, tensors, reason):
    torch.save(tensors, tmp_path / "weights.pth")
    with pytest.raises(BadCheckpoint, match=reason) as caught:
        imported(tmp_path / "weights.pth", tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800
    assert not (tmp_path / "bundle").exists()


def test_a_bundle_is_never_overwritten(checkpoint, tmp_path):
    folder = imported(checkpoint, tmp_path)
    with pytest.raises(OutputExists):
        import_sample4geo(checkpoint, "cvusa", folder, backbone=BACKBONE)


@pytest.mark.parametrize(
    ("benchmark", "backbone", "reason"),
    [
        ("vigor", BACKBONE, "choose one of cvusa, cvact, vigor-same"),
        ("cvusa", "no_such_net", "no model named"),
        (
            "cvusa",
            "test_convnext.no_such_tag",
            "no weights 'test_convnext.no_such_tag'; it has: test_convnext.r160_in1k",
        ),
    ],
)
def test_an_unknown_benchmark_or_backbone_is_refused(checkpoint, tmp_path, benchmark, backbone, reason):
    with pytest.raises(BadConfig, match=reason):
        import_sample4geo(checkpoint, benchmark, tmp_path / "bundle", backbone=backbone)


def test_importing_through_the_command_line(checkpoint, tmp_path, capsys):
    command = ["import", "sample4geo", str(checkpoint), "--benchmark", "vigor-cross", "--out", str(tmp_path / "bundle")]
    assert main([*command, "--backbone", BACKBONE, "--name", "mine"]) == 0
    assert capsys.readouterr().out == f"imported: {tmp_path / 'bundle'}\n"
    assert load_bundle(tmp_path / "bundle").name == "mine"
    (tmp_path / "weights.pth").write_text("<html>")
    assert main([*command[:-1], str(tmp_path / "other"), "--backbone", BACKBONE]) == 1
    error = capsys.readouterr().err
    assert "cannot be read as weights" in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_a_whole_convnext_base_is_imported(tmp_path):
    torch.save(state(timm.create_model("convnext_base", num_classes=0)), tmp_path / "weights.pth")
    import_sample4geo(tmp_path / "weights.pth", "vigor-cross", tmp_path / "bundle")
    assert load_bundle(tmp_path / "bundle").net.dim == 1024
