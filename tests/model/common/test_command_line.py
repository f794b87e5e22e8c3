"""One way to end with an error, and commands whose modules are loaded when they are chosen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.common.command_line import Command, run, run_command
from model.common.errors import BadConfig, BadOption

FULL = Path("/dev/full")
COMMANDS = {
    "info": Command("show a bundle", "model.commands.info:run", "InfoOptions"),
    "never": Command("not loaded", "no.such.module:run", "Options"),
}


def ending(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BadConfig("a is 1; give 2"), 1, "error: a is 1; give 2\n"),
        (BadOption("--a is 1; give 2"), 2, "error: --a is 1; give 2\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (
            FileNotFoundError(2, "No such file or directory", "photo.jpg"),
            1,
            "error: photo.jpg: no such file or directory; check the path and its permissions\n",
        ),
        (OSError("disk on fire"), 1, "error: disk on fire\n"),
    ],
)
def test_an_error_ends_with_one_line_and_its_code(capsys, error, code, line):
    assert run(ending(error)) == code
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("lines", [1, 10_000])
def test_a_reader_who_has_enough_ends_it_without_a_word(lines):
    source = f"import sys; from model.common.command_line import run; sys.exit(run(lambda: print('x' * 80 * {lines})))"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run([sys.executable, "-c", source], stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is full")
def test_a_full_disk_is_told():
    source = "import sys; from model.common.command_line import run; sys.exit(run(lambda: print('x') or 0))"
    with FULL.open("wb") as full:
        ended = subprocess.run([sys.executable, "-c", source], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 1
    assert b"No space left on device" in ended.stderr
    assert ended.stderr.count(b"\n") == 1


def test_the_help_lists_commands_whose_modules_are_never_loaded(capsys):
    with pytest.raises(SystemExit, match="0"):
        run_command(COMMANDS, ["--help"], prog="clnet-x", description="All.", epilog="The end.")
    printed = capsys.readouterr().out
    for part in ("usage: clnet-x", "All.", "show a bundle", "not loaded", "The end."):
        assert part in printed


def test_only_the_chosen_commands_module_is_loaded(capsys):
    assert run_command(COMMANDS, ["info"], prog="x", description="") == 0
    assert '"name": "street"' in capsys.readouterr().out
    with pytest.raises(ModuleNotFoundError):
        run_command(COMMANDS, ["never"], prog="x", description="")
    assert "no" not in sys.modules


NESTED = {
    "render": ("draw", {"region": Command("a region", "model.commands.render:render_tile_region", "RegionOptions")})
}


@pytest.mark.parametrize(
    ("commands", "arguments", "usage", "meant"),
    [
        (COMMANDS, ["info", "--checkpont", "demo"], "usage: x info ", "--checkpont demo; did you mean --checkpoint?"),
        (COMMANDS, ["info", "--zzz"], "usage: x info ", "unrecognized arguments: --zzz\n"),
        (COMMANDS, ["info", "demo"], "usage: x info ", "unrecognized arguments: demo\n"),
        (COMMANDS, ["info", "--hint", "demo"], "usage: x info ", "unrecognized arguments: --hint demo\n"),
        (COMMANDS, ["--versoin", "info"], "usage: x ", "--versoin; did you mean --version?"),
        (
            NESTED,
            ["render", "region", "--out", "o", "--panorama=3", "--sides=4"],
            "usage: x render region ",
            "did you mean --panoramas and --side?",
        ),
    ],
)
def test_an_unknown_option_shows_its_commands_usage_and_what_may_be_meant(capsys, commands, arguments, usage, meant):
    with pytest.raises(SystemExit, match="2"):
        run_command(commands, arguments, prog="x", description="")
    printed = capsys.readouterr().err
    assert printed.startswith(usage)
    assert meant in printed


def test_a_commands_examples_are_whole_commands(capsys):
    commands = {"info": Command("show", "model.commands.info:run", "InfoOptions", ("--checkpoint demo", "--json"))}
    with pytest.raises(SystemExit, match="0"):
        run_command(commands, ["info", "--help"], prog="x", description="")
    assert capsys.readouterr().out.endswith("examples:\n  x info --checkpoint demo\n  x info --json\n")
