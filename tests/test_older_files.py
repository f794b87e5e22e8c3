"""Files that an older version wrote open as they are; those of a later one are refused by a line that says what to do.

`data/before_rooms` was written by the last version whose modules lay flat: a bundle, an index with its calibration, and
a training run stopped after two of four steps, with the weights that it ended with.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from indexer.common.errors import BadCalibration, IndexVersion
from indexer.confidence.storage import read_calibrations
from indexer.index.tile_index import TileIndex
from indexer.localization.localizer import Localizer
from model.common.errors import BadCheckpoint, BadConfig
from model.data.manifest import read_manifest
from model.inputs.photo_view import GivenView
from model.network.checkpoints import load_bundle
from model.training.config import load_run
from model.training.trainer import train

BEFORE = Path(__file__).parent / "data" / "before_rooms"
_HALF_STEP = 2.0**-10


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BEFORE, tmp_path / "before"))


def change_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_bundle_and_a_calibrated_index_open_and_answer(before: Path) -> None:
    localizer = Localizer.open(before / "index", checkpoint=str(before / "bundle"), device="cpu")
    found = localizer.localize(before / "tiles/15/17000/11000.png", GivenView(heading_deg=0.0, fov_deg=170.0))
    assert len(found.matches) == 4
    assert len(localizer.calibrations.each) == 1
    assert localizer.index.has_pictures


def test_a_run_goes_on_and_ends_where_it_would_have(before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(before)
    pairs = read_manifest(Path("pairs/pairs.csv"))
    bundle = train(load_run(Path("run/run.json"), []), pairs, pairs, Path("run"), device="cpu")
    ended, expected = load_file(bundle / "weights.safetensors"), load_file("expected.safetensors")
    assert ended.keys() == expected.keys()
    for name, value in expected.items():
        # Processors round sums otherwise, and the file holds halves: then one lands on the next half.
        np.testing.assert_allclose(ended[name], value, rtol=_HALF_STEP, atol=1e-5, err_msg=name)


def test_a_later_index_is_refused_with_what_to_do(before: Path) -> None:
    change_json(before / "index" / "manifest.json", version=99)
    with pytest.raises(IndexVersion, match="99"):
        TileIndex.open(before / "index")


def test_a_later_calibration_is_refused(before: Path) -> None:
    change_json(before / "index" / "calibration.json", version=99)
    with pytest.raises(BadCalibration, match="Update the package"):
        read_calibrations(before / "index", TileIndex.open(before / "index").manifest)


@pytest.mark.parametrize("changes", [{"format": 99}, {"format": 1, "what_came_later": True}])
def test_a_later_bundle_is_refused(before: Path, changes: dict[str, object]) -> None:
    change_json(before / "bundle" / "spec.json", **changes)
    with pytest.raises(BadCheckpoint, match="update the package"):
        load_bundle(str(before / "bundle"))


def test_a_later_run_is_refused_and_left_as_it_is(before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(before)
    pairs, state = read_manifest(Path("pairs/pairs.csv")), Path("run/state-00000002.safetensors")
    with safe_open(state, "np") as file:
        notes = file.metadata()
    save_file(load_file(state), state, metadata={**notes, "format": "2"})
    written = state.read_bytes()
    with pytest.raises(BadCheckpoint, match="has state format 2; this version reads 1: update the package"):
        train(load_run(Path("run/run.json"), []), pairs, pairs, Path("run"), device="cpu")
    assert state.read_bytes() == written


def test_a_run_configured_by_a_later_version_is_refused(before: Path) -> None:
    change_json(before / "run" / "run.json", what_came_later=True)
    with pytest.raises(BadConfig, match="unknown key what_came_later; known are name, model"):
        load_run(before / "run" / "run.json", [])
