from pathlib import Path

import pytest

from indexer.__main__ import main
from indexer.commands.pairs import PairsOptions
from indexer.pairs.specs import PairsSpec
from tests.indexer.pairs.city import city_tiles, write_photo, write_street


def test_the_command_makes_pairs_and_prints_what_it_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city_tiles(tmp_path / "tiles")
    write_street(tmp_path / "photos")
    write_photo(tmp_path / "photos" / "lost.jpg", None)
    arguments = ["pairs", "--photos", str(tmp_path / "photos"), "--tiles", str(tmp_path / "tiles"), "--quiet"]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--photo-px", "128"]) == 0
    printed = capsys.readouterr().out
    assert "of 57 photos" in printed
    assert "1 no position" in printed
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*arguments, "--out", str(tmp_path / "new"), "--test-share", "0.7"]) == 2
    assert "--test-share is '0.7'; give a share above 0 and below 0.5" in capsys.readouterr().err


def test_the_command_lines_defaults_are_the_librarys(tmp_path: Path) -> None:
    assert PairsOptions(photos=tmp_path, tiles=("x",), out=tmp_path).how == PairsSpec()
