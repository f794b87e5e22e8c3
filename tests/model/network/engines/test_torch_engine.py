import numpy as np

from model.network.bundle_files import read_bundle_info
from model.network.checkpoints import load_bundle
from model.network.engines.torch_engine import TorchEngine
from model.network.forward import encode_view
from tests.model.demo_pictures import canvases


def test_the_engine_gives_what_the_network_gives():
    folder = read_bundle_info("demo").folder
    pixels = canvases(2)
    engine, net = TorchEngine(str(folder), device="cpu", precision="float32"), load_bundle(folder).net
    assert (engine.precision, engine.accelerated, engine.dim) == ("float32", False, net.dim)
    expected = encode_view(net, pixels, net.inputs, "ground", half=None)
    assert np.allclose(engine.run(pixels, "ground"), expected, atol=1e-6)
