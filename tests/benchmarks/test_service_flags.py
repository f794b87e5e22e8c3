"""Every benchmark that attacks or measures the service takes the same flags, each once."""

import importlib
from pathlib import Path

import pytest

import benchmarks

NAMES = sorted(
    path.stem
    for path in Path(benchmarks.__path__[0]).glob("*.py")
    if "service_parser(" in path.read_text(encoding="utf-8") and path.stem != "service_flags"
)


@pytest.mark.parametrize("name", NAMES)
def test_help_can_be_asked_for(name, capsys):
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"benchmarks.{name}").main(["--help"])
    assert ended.value.code == 0
    assert "--beside" in capsys.readouterr().out


def test_there_are_some():
    assert len(NAMES) > 5
