"""The commands as a user types them, with the small encoder of these tests."""

from pathlib import Path

import pytest

from indexer.__main__ import main

Captured = pytest.CaptureFixture[str]


def run(root: Path, name: str, *arguments: str | Path) -> int:
    encoder = [] if name == "info" else ["--checkpoint", root / "bundle", "--device", "cpu"]
    return main([str(part) for part in (name, *arguments, *encoder)])


def search(built: Path, *arguments: str) -> int:
    return run(built, "search", "--index", built / "index", "--image", built / "photo.png", *arguments)
