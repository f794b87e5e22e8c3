import pytest

from model.common.errors import BadConfig
from model.data.manifest import read_manifest
from model.training.step_profile import StepProfile, profile_steps
from tests.model.tiny import tiny_run, write_pairs


def test_the_time_of_a_step_is_divided_and_nothing_is_written(tmp_path):
    (tmp_path / "data").mkdir()
    pairs = read_manifest(write_pairs(tmp_path / "data"))
    found = profile_steps(tiny_run(), pairs, tmp_path / "runs/run", device="cpu", steps=2)
    assert found.step_ms > 0
    assert found.pairs_per_s == pytest.approx(4000 / (found.waiting_ms + found.step_ms), rel=1e-3)
    assert "convolution" in found.operators
    assert not (tmp_path / "runs/run").exists()


def test_shares_are_of_the_whole():
    text = str(StepProfile(25.0, 75.0, 40.0, "table"))
    assert "25.0 ms a step, 25%" in text
    assert "75.0 ms a step, 75%" in text


def test_more_steps_than_the_run_has_are_refused(tmp_path):
    (tmp_path / "data").mkdir()
    pairs = read_manifest(write_pairs(tmp_path / "data"))
    with pytest.raises(BadConfig, match=r"optim\.steps is 6; profiling 6 steps needs one more"):
        profile_steps(tiny_run(), pairs, tmp_path / "run", device="cpu", steps=6)
