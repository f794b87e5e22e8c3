"""Areas and names on the command line: what is missing or contradicts itself."""

from pathlib import Path

import pytest

from tests.indexer.commands.running import run

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["remove", "--index", "x"], "nothing says which tiles to remove"),
        (["split", "--index", "x", "--out", "y"], "nothing says which part"),
        (["split", "--index", "x", "--out", "y", "--bbox", "1,2,3,4", "--area", "z"], "exclude each other"),
        (["remove", "--index", "x", "--track", "z"], "--track and --radius-m belong together"),
        (["add", "--index", "x", "--tiles", "y", "--date", "yesterday"], "--date: "),
    ],
)
def test_wrong_arguments_end_with_two(built: Path, capsys: Captured, command: list[str], message: str) -> None:
    assert run(built, *command) == 2
    assert message in capsys.readouterr().err
