import subprocess
import sys

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


_SIGNAL = """
import gc, signal
from tests.model.demo_pictures import canvases
from model.network.encoder import Encoder
heard = []
signal.signal(signal.SIGCHLD, lambda *_: heard.append(1))
engines = [Encoder.load("demo", engine="openvino", threads=1) for _ in range(2)]
for engine in engines:
    engine.encode_ground(canvases(1))
del engine
while engines:
    engines.pop(0)
    gc.collect()
signal.raise_signal(signal.SIGCHLD)
assert heard
"""


def test_a_signal_is_heard_after_engines_were_closed():
    pytest.importorskip("openvino")
    code = f"import faulthandler\nfaulthandler.enable()\n{_SIGNAL}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
