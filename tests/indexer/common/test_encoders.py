"""What the indexer asks of an encoder the real one has, and so has the fake of the tests."""

import inspect

import numpy as np
import pytest

from indexer.common.encoders import EncoderIdentity, QueryEncoder, TileEncoder
from model.network.encoder import Encoder
from tests.fakes import FakeEncoder
from tests.indexer.bundles import write_bundle

ASKED = {
    name for kind in (EncoderIdentity, QueryEncoder, TileEncoder) for name in vars(kind) if not name.startswith("_")
}


def test_an_encoder_is_known_by_identity_and_what_it_encodes():
    identity = {"name", "digest", "numbers", "dim", "inputs"}
    assert identity | {"encode_satellite", "encode_ground", "sweeps", "encode_headings"} == ASKED


def test_the_real_encoder_and_the_fake_have_them(tmp_path):
    write_bundle(tmp_path / "bundle")
    for encoder in (Encoder.load(tmp_path / "bundle", device="cpu"), FakeEncoder()):
        assert {name for name in ASKED if not hasattr(encoder, name)} == set()
        assert len(encoder.digest) == 64
        canvas = np.zeros((1, encoder.inputs.ground_height_px, encoder.inputs.ground_width_px, 3), np.uint8)
        assert encoder.encode_ground(canvas).shape == (1, encoder.dim)


@pytest.mark.parametrize(("kind", "name"), [(TileEncoder, "encode_satellite"), (QueryEncoder, "encode_ground")])
def test_both_are_called_the_same_way(kind, name):
    wanted = list(inspect.signature(getattr(kind, name)).parameters)
    for encoder in (Encoder, FakeEncoder):
        assert list(inspect.signature(getattr(encoder, name)).parameters)[: len(wanted)] == wanted
