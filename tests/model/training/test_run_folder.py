"""A run folder belongs to one run."""

import json
from pathlib import Path

import pytest

from model.common.errors import BadConfig
from model.training.run_folder import claim, with_defaults


def test_the_first_start_writes_and_the_same_again_passes(tmp_path: Path) -> None:
    for _ in range(2):
        claim(tmp_path / "run", "run.json", {"steps": 4}, "another configuration", "the old one")
    assert json.loads((tmp_path / "run/run.json").read_text()) == {"steps": 4}


def test_another_value_is_named_with_the_old_and_the_new(tmp_path: Path) -> None:
    claim(tmp_path, "run.json", {"steps": 4}, "another configuration", "the old one")
    with pytest.raises(BadConfig, match=r'another configuration \("steps": 4 -> "steps": 5\); give the old one'):
        claim(tmp_path, "run.json", {"steps": 5}, "another configuration", "the old one")


def test_a_setting_younger_than_the_run_has_its_default() -> None:
    steps = with_defaults({})["optim"]["steps"]
    assert with_defaults({"name": "x"}) == with_defaults({"name": "x", "optim": {"steps": steps}})
