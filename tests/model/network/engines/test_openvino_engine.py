import numpy as np
import pytest

from model.network.encoder import Encoder
from tests.model.demo_pictures import canvases


def test_openvino_computes_what_onnx_runtime_computes():
    pixels = canvases(3)
    pytest.importorskip("openvino")
    exact, other = (
        Encoder.load("demo", engine=engine, precision="float32", threads=1) for engine in ("onnxruntime", "openvino")
    )
    assert (other.engine.name, other.numbers) == ("openvino", "float")
    assert np.abs(other.encode_ground(pixels) - exact.encode_ground(pixels)).max() < 1e-5
    reduced = Encoder.load("demo", engine="openvino", threads=1)
    assert reduced.engine.precision in ("bfloat16", "float32")
    assert (reduced.encode_ground(pixels) * exact.encode_ground(pixels)).sum(axis=1).min() > 0.999
