import subprocess
import sys

import numpy as np
import pytest

from model.common.errors import BadConfig
from model.network.bundle_files import read_bundle_info
from model.network.encoder import Encoder
from model.network.engines import openvino_engine
from model.network.engines.openvino_engine import OpenVinoEngine
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


class OldProcessor:
    """OpenVINO's core, on a processor that computes in float32 only."""

    def __init__(self, core):
        self._core = core

    def get_property(self, device, name):
        found = self._core.get_property(device, name)
        return [one for one in found if one != "BF16"] if name == "OPTIMIZATION_CAPABILITIES" else found

    def compile_model(self, *arguments):
        return self._core.compile_model(*arguments)


def test_a_processor_without_bfloat16_computes_in_float32(monkeypatch):
    pytest.importorskip("openvino")
    core = OldProcessor(openvino_engine._core())
    monkeypatch.setattr(openvino_engine, "_core", lambda: core)
    info = read_bundle_info("demo")
    assert OpenVinoEngine(info, threads=1).precision == "float32"
    with pytest.raises(BadConfig, match="this processor does not compute in bfloat16; leave the precision at auto"):
        OpenVinoEngine(info, precision="bfloat16")


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
