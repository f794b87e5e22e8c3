"""Commands as a user would type them."""

from pathlib import Path

from indexer.__main__ import main


def run(root: Path, name: str, *arguments: str | Path) -> int:
    without = ("info", "remove", "merge", "split", "compact", "export", "publish")
    encoder = [] if name in without else ["--checkpoint", root / "bundle", "--device", "cpu"]
    return main([str(part) for part in (name, *arguments, *encoder)])
