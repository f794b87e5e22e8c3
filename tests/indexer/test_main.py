from pathlib import Path

import pytest

from indexer.__main__ import main
from indexer.building.plan import BuildSpec
from indexer.commands.build import BuildOptions
from indexer.commands.calibrate import CalibrateOptions
from indexer.tiles.sources.source import SourceOptions
from model.common.flags import read_flags
from model.evaluation.protocol import QueryProtocol
from model.inputs.heading_search import COARSE_HEADINGS


def test_the_help_of_info_names_all_that_its_json_holds(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["info", "--help"])
    assert "manifest and the calibration" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["build", "--tiles", "x"], ["build", "--tiles", "x", "--out", "y", "--zoo", "3"]],
)
def test_a_wrong_command_line_ends_with_usage_and_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["search", "--index", "x", "--image", "y", "--near", "91,0"], "--near: latitude 91.0 is not in"),
        (["search", "--index", "x", "--image", "y", "--near", "nan,0"], "--near: 'nan,0' is not lat,lon"),
        (["build", "--tiles", "x", "--out", "y", "--bbox", "1,2,3"], "--bbox: '1,2,3' is not west,south,east,north"),
        (["build", "--tiles", "x", "--out", "y", "--bands", "red"], "--bands: 'red' is not a list of band numbers"),
        (["build", "--tiles", "x", "--out", "y", "--stride-m", "5"], "stride_m is 5.0 but tile_size_m is not given"),
        (["build", "--tiles", "x", "--out", "y", "--max-failed", "2"], "--max-failed is '2'; give a share in [0, 1]"),
        (["search", "--index", "x", "--image", "y", "--json", "--geojson"], "--json and --geojson exclude each other"),
        (["verify", "--index", "x", "--sample", "-1"], "--sample is '-1'; give a whole number of at least 0"),
    ],
)
def test_a_wrong_value_ends_with_one_line_and_two(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


def test_the_command_lines_defaults_are_the_librarys() -> None:
    build = BuildOptions(tiles="x", out=Path("y"))
    assert read_flags(BuildOptions, {"tiles": "x", "out": "y"}) == build
    assert (build.source, build.build) == (SourceOptions(), BuildSpec())
    calibrate = read_flags(CalibrateOptions, {"index": "x", "queries": ["y"]})
    assert calibrate.headings == COARSE_HEADINGS == QueryProtocol().headings
