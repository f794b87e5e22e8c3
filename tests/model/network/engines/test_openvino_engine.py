import numpy as np
import pytest

from model.network.encoder import Encoder


def test_openvino_computes_what_onnx_runtime_computes():
    canvases = np.random.default_rng(0).integers(0, 255, (3, 32, 128, 3), np.uint8)
    pytest.importorskip("openvino")
    exact, other = (
        Encoder.load("demo", engine=engine, precision="float32", threads=1) for engine in ("onnxruntime", "openvino")
    )
    assert (other.engine.name, other.numbers) == ("openvino", "float")
    assert np.abs(other.encode_ground(canvases) - exact.encode_ground(canvases)).max() < 1e-5
    reduced = Encoder.load("demo", engine="openvino", threads=1)
    assert reduced.engine.precision in ("bfloat16", "float32")
    assert (reduced.encode_ground(canvases) * exact.encode_ground(canvases)).sum(axis=1).min() > 0.999
