from dataclasses import replace

import numpy as np
import pytest

from model.common.errors import BadExport
from model.data.manifest import read_manifest
from model.evaluation.parity import Parity, measure_parity
from model.network.encoder import Encoder
from tests.model.tiny import write_pairs

GOOD = Parity("onnxruntime", "float32", "pairs", 200, 0.9999, 1e-6, 90.0, 89.9)


def test_what_is_near_enough_passes():
    GOOD.require()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"least_cosine": 0.9989}, r"least cosine of a picture is 0\.99890, below 0\.999"),
        ({"least_cosine": float("nan")}, "least cosine of a picture is nan"),
        ({"recall": 89.79}, r"R@1 is 89\.79 % instead of 90\.00 %, more than 0\.2 points lower"),
    ],
)
def test_what_is_not_is_refused(change, reason):
    with pytest.raises(BadExport, match=reason):
        replace(GOOD, **change).require()


class Off:
    """An encoder whose vectors of tiles are off by a known cosine."""

    def __init__(self, encoder, cosine):
        self._encoder, self._cosine = encoder, cosine
        self.sweeps = False
        self.inputs, self.dim, self.engine = encoder.inputs, encoder.dim, encoder.engine
        self.encode_ground = encoder.encode_ground

    def encode_satellite(self, pixels):
        vectors = self._encoder.encode_satellite(pixels)
        aside = np.roll(vectors, 1, axis=1)
        aside -= (aside * vectors).sum(axis=1, keepdims=True) * vectors
        aside /= np.linalg.norm(aside, axis=1, keepdims=True)
        return self._cosine * vectors + np.sqrt(1 - self._cosine**2) * aside


def test_every_picture_of_both_views_counts(tmp_path):
    pairs = read_manifest(write_pairs(tmp_path))
    encoder = Encoder.load("demo", engine="onnxruntime", anchors=1, threads=1)
    measured = measure_parity(encoder, Off(encoder, 0.99), pairs)
    assert (measured.pictures, measured.engine, measured.data) == (18, "onnxruntime", pairs.name)
    assert measured.least_cosine == pytest.approx(0.99, abs=1e-4)
    assert measure_parity(encoder, encoder, pairs).greatest_difference < 1e-6
