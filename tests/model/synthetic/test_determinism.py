"""The same pictures on another processor: NumPy's vector code paths are switched off, which changes its last bits."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

SCRIPT = """
import sys
import numpy as np
from model.synthetic.appearance import Difficulty, draw_appearance
from model.synthetic.ground import Window
from model.synthetic.panorama import Camera, render_panorama
from model.synthetic.terrain import paint_ground
from model.synthetic.tile import render_tile
ground = paint_ground(11, Window(-320, -320, 640, 640))
looks = [draw_appearance(11, 3, Difficulty(), from_ground=side) for side in (False, True)]
tile = render_tile(ground, (-50.0, -50.0, 50.0, 50.0), 128, looks[0])
panorama = render_panorama(ground, Camera(0.3, 0.2, width_px=256, height_px=64, vertical_deg=60.0), looks[1])
np.savez(sys.argv[1], height=ground.height_m, top=ground.top, tile=tile, panorama=panorama)
"""


def render(path: Path, disabled: str) -> dict[str, np.ndarray]:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "NPY_DISABLE_CPU_FEATURES": disabled}
    subprocess.run([sys.executable, "-c", SCRIPT, str(path)], env=environment, cwd=root, check=True)
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def test_pictures_differ_by_at_most_one_grey_level_without_the_processors_vector_instructions(tmp_path):
    features = " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))
    fast, again, plain = (render(tmp_path / f"{n}.npz", off) for n, off in enumerate(("", "", features)))
    for name in fast:
        assert np.array_equal(fast[name], again[name]), f"{name} differs from run to run"
        difference = np.abs(fast[name].astype(np.float64) - plain[name])
        assert difference.max() <= (1 if fast[name].dtype == np.uint8 else 1e-4), name
