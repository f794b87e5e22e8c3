"""`verify`: a sample embedded again, and another encoder refused."""

from pathlib import Path

import pytest

from indexer.__main__ import main
from tests.indexer.bundles import write_bundle
from tests.indexer.commands.running import run

Captured = pytest.CaptureFixture[str]


def test_another_encoder_ends_with_one(built: Path, tmp_path: Path, capsys: Captured) -> None:
    other = write_bundle(tmp_path / "other", seed=1)
    arguments = ["--index", str(built / "index"), "--checkpoint", str(other), "--device", "cpu"]
    assert main(["search", "--image", str(built / "photo.png"), *arguments]) == 1
    assert main(["verify", *arguments]) == 1
    assert capsys.readouterr().err.count("Rebuild it with `python -m indexer build`") == 2


def test_verify_embeds_a_sample_again(built: Path, capsys: Captured) -> None:
    assert run(built, "verify", "--index", built / "index", "--sample", "4") == 0
    assert "4 tiles embedded again" in capsys.readouterr().out
