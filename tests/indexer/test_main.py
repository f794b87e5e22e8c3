import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from indexer.__main__ import _parser, main
from indexer.building.plan import BuildSpec
from indexer.tiles.sources.source import SourceOptions
from model.inputs.heading_search import COARSE_HEADINGS

ROOT = Path(__file__).resolve().parents[2]


def test_help_is_instant_and_loads_nothing_heavy() -> None:
    program = (
        "import sys, indexer.__main__ as m\n"
        "try: m.main(['build', '--help'])\n"
        "except SystemExit as end: code = end.code\n"
        "print([name for name in ('torch', 'faiss', 'pyarrow', 'rasterio', 'PIL') if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_a_calibration_tries_as_many_headings_as_a_search_does() -> None:
    assert _parser().parse_args(["calibrate", "--index", "x", "--queries", "y"]).headings == COARSE_HEADINGS


def test_the_help_of_info_names_all_that_its_json_holds(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["info", "--help"])
    assert "manifest and the calibration" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["build", "--tiles", "x"],
        ["search", "--index", "x", "--image", "y", "--near", "91,0"],
        ["search", "--index", "x", "--image", "y", "--near", "nan,0"],
        ["build", "--tiles", "x", "--out", "y", "--bbox", "1,2,3"],
        ["build", "--tiles", "x", "--out", "y", "--bands", "red"],
        ["search", "--index", "x", "--image", "y", "--json", "--geojson"],
    ],
)
def test_wrong_arguments_end_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_the_command_lines_defaults_are_the_librarys() -> None:
    args = _parser().parse_args(["build", "--tiles", "x", "--out", "y"])
    assert (
        SourceOptions(**{field.name: getattr(args, field.name) for field in fields(SourceOptions)}) == SourceOptions()
    )
    assert (args.batch_size, args.workers) == (BuildSpec().batch_size, BuildSpec().workers)
