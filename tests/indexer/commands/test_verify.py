from pathlib import Path

from tests.indexer.commands.running import Captured, run


def test_verify_embeds_a_sample_again(built: Path, capsys: Captured) -> None:
    assert run(built, "verify", "--index", built / "index", "--sample", "4") == 0
    assert "4 tiles embedded again" in capsys.readouterr().out
