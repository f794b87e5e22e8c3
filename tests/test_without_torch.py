"""Placing photos where torch and matplotlib cannot be imported: build, localize, calibrate, evaluate, verify, serve.

One process does it all, with every import of such a library refused; `benchmarks.bench_light` installs an
environment that does not have them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import mercantile
import pytest

from tests.indexer.tiny import LEFT, TOP, ZOOM, make_tiles, picture

ROOT = Path(__file__).parents[1]
REFUSED = ("torch", "torchvision", "timm", "safetensors", "onnx", "onnxscript", "openvino", "matplotlib")

SCRIPT = """
import json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {refused}:
            raise ModuleNotFoundError("refused", name=name)

sys.meta_path.insert(0, Refuse())
from pathlib import Path
from fastapi.testclient import TestClient
from indexer.__main__ import main as indexer
from model.__main__ import main as model
from service.app import create_app
from service.settings import Settings

root = Path(sys.argv[1])
index = str(root / "index")
codes = {{}}
codes["build"] = indexer(["build", "--tiles", str(root / "tiles"), "--out", index, "--quiet", "--anchors", "1"])
codes["verify"] = indexer(["verify", "--index", index, "--sample", "2"])
codes["localize"] = indexer(["localize", "--index", index, str(root / "photo.png"), "--json", "--heading-deg", "0"])
codes["calibrate"] = indexer(["calibrate", "--index", index, "--queries", str(root / "photos.csv"), "--quiet",
                              "--heading-deg", "known", "--radius-m", "2500"])
codes["plot"] = model(["evaluate", "--data", str(root / "photos.csv"), "--plot", str(root / "recall.png")])
codes["evaluate"] = model(["evaluate", "--data", str(root / "photos.csv"), "--queries", "4", "--anchors", "1"])
codes["render"] = model(["render", "region", "--out", str(root / "region"), "--side", "1", "--panoramas", "1"])
codes["info"] = model(["info"])
codes["train"] = model(["train", "--out", str(root / "run")])
codes["export"] = model(["export", "--checkpoint", "demo", "--data", str(root / "photos.csv")])
app = create_app(Settings(index=root / "index", workers=1))
with TestClient(app) as client:
    app.state.engine.loaded.wait(timeout=120)
    files = {{"panorama": ("photo.png", (root / "photo.png").read_bytes())}}
    codes["serve"] = client.post("/localize", files=files, data={{"heading_deg": "0"}}).status_code
print("codes", json.dumps(codes))
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    root = tmp_path_factory.mktemp("light")
    make_tiles(root / "tiles", columns=6, rows=4)
    picture(5).resize((256, 128)).save(root / "photo.png")
    _write_photos(root)
    script = SCRIPT.format(refused=REFUSED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", script, str(root)],
        cwd=root,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )


def _write_photos(root: Path) -> None:
    """110 photos, half of them of places in the index, half of pictures that no tile shows; and a tile of each."""
    lines = ["query,reference,lat,lon,heading_deg"]
    (root / "photos").mkdir()
    for number in range(110):
        seed = number % 24 if number % 2 else 1_000 + number
        picture(seed).resize((256, 128)).save(root / "photos" / f"{number}.png")
        column, row = divmod(number % 24, 4)
        bounds = mercantile.bounds(LEFT + column, TOP + row, ZOOM)
        lat, lon = (bounds.south + bounds.north) / 2, (bounds.west + bounds.east) / 2
        tile = root / "tiles" / str(ZOOM) / str(LEFT + column) / f"{TOP + row}.png"
        lines.append(f"photos/{number}.png,{tile},{lat + number * 1e-7},{lon},0")
    (root / "photos.csv").write_text("\n".join(lines) + "\n")


def test_everything_about_photos_works_and_training_says_what_it_needs(done):
    assert "codes" in done.stdout, done.stderr
    codes = json.loads(done.stdout.rsplit("codes ", 1)[1])
    for name in ("build", "verify", "localize", "calibrate", "evaluate", "render", "info"):
        assert codes[name] == 0, f"{name}: {done.stderr}"
    assert codes["serve"] == 200
    assert (codes["train"], codes["export"], codes["plot"]) == (1, 1, 1)
    drawn = "needs matplotlib, which is not installed; run `pip install 'clnet-geolocalization[plots]'`"
    assert done.stderr.count(f"no diagram is stored beside the confidence: a reliability diagram {drawn}") == 1
    assert done.stderr.count(f"--plot {drawn}") == 1
    assert done.stderr.count("is not installed; run `pip install 'clnet-geolocalization[train]'`") == 2, done.stderr
    assert "Traceback" not in done.stderr
