import numpy as np
import pytest

from model.common.errors import BadConfig
from model.inputs.anchors import anchor_px, recentre
from model.inputs.heading_search import swept_turns
from model.network.checkpoints import save_bundle
from model.network.encoder import Encoder
from tests.model.demo_pictures import canvases, tiles
from tests.model.tiny import tiny_net


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    save_bundle(folder, tiny_net(), name="tiny", provenance={}, metrics={})
    return folder


def pixels(view, count=3):
    shape = (32, 64) if view == "ground" else (32, 32)
    return np.random.default_rng(0).integers(0, 255, (count, *shape, 3), np.uint8)


def test_a_picture_is_encoded_alike_alone_and_in_a_batch(folder):
    encoder = Encoder.load(folder, device="cpu", precision="float32")
    alone = np.concatenate([encoder.encode_ground(one[None]) for one in pixels("ground")])
    assert np.abs(encoder.encode_ground(pixels("ground")) - alone).max() < 1e-5


def test_reduced_precision_stays_close(folder):
    full, reduced = (
        Encoder.load(folder, device="cpu", precision=p).encode_ground(pixels("ground")) for p in ("float32", "bfloat16")
    )
    assert (full * reduced).sum(axis=1).min() > 0.999


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 32, 32, 3), np.float32), np.zeros((32, 32, 3), np.uint8), np.zeros((1, 16, 32, 3), np.uint8)]
)
def test_pictures_of_another_shape_or_type_are_refused(folder, wrong):
    with pytest.raises(BadConfig, match="satellite side wants uint8"):
        Encoder.load(folder, device="cpu").encode_satellite(wrong)


def test_a_device_that_is_not_there_is_refused(folder):
    with pytest.raises(BadConfig, match="'cuda:99' cannot be used here; choose auto, cpu"):
        Encoder.load(folder, device="cuda:99")


def test_a_tile_has_a_vector_for_each_anchor_and_a_canvas_has_one(folder):
    options = {"device": "cpu", "precision": "float32"}
    one, nine = Encoder.load(folder, **options), Encoder.load(folder, **options, anchors=3)
    tiles = pixels("satellite")
    vectors = nine.encode_satellite(tiles).reshape(len(tiles), 9, one.dim)
    assert np.allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-3)
    assert np.allclose(vectors[:, 4], one.encode_satellite(tiles), atol=1e-5)
    east = recentre(tiles, *anchor_px((1 / 6, 0.0), tiles.shape[1]))
    assert np.allclose(vectors[:, 5], one.encode_satellite(east), atol=1e-5)
    assert np.array_equal(nine.encode_ground(pixels("ground")), one.encode_ground(pixels("ground")))
    assert (one.digest, one.dim) == (nine.digest, nine.dim)


def test_every_engine_comes_within_a_millionth_of_torch():
    """What makes vectors of one family comparable: an index of one engine is searched with queries of another."""
    options = {"device": "cpu", "precision": "float32", "anchors": 2, "threads": 1}
    reference, light = (Encoder.load("demo", engine=engine, **options) for engine in ("torch", "onnxruntime"))
    assert (light.digest, light.dim, light.numbers) == (reference.digest, reference.dim, reference.numbers)
    assert np.abs(light.encode_ground(canvases(4)) - reference.encode_ground(canvases(4))).max() < 1e-6
    assert np.abs(light.encode_satellite(tiles(2)) - reference.encode_satellite(tiles(2))).max() < 1e-6


def test_the_engines_compute_the_same_at_all_headings():
    pictures = canvases(2)
    light, reference = (
        Encoder.load("demo", device="cpu", engine=engine, precision="float32", threads=1)
        for engine in ("onnxruntime", "torch")
    )
    vectors = light.encode_headings(pictures)
    assert vectors.shape == (2, len(swept_turns(pictures.shape[2])), light.dim)
    assert np.abs(vectors - reference.encode_headings(pictures)).max() < 1e-6
    turned = light.encode_headings(np.roll(pictures, swept_turns(pictures.shape[2])[3], axis=2))
    assert np.abs(np.roll(vectors, -3, axis=1) - turned).max() < 1e-6
    with pytest.raises(BadConfig, match="the ground side wants"):
        light.encode_headings(pictures[:, :, ::2])
