"""Flags are made from a configuration, and read back into it."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Le

from model.common.errors import BadConfig, BadOption
from model.common.flags import Group, Option, Parser, add_flags, read_flags
from model.common.geo import LatLon, parse_lat_lon
from model.common.specs import spec


@spec()
class Sizes:
    side: Annotated[int, Ge(1), Le(512), Option("tiles a side", "N")] = 32
    hidden: int = 7


@spec(kw_only=True)
class Options:
    out: Annotated[Path, Option("where to")]
    sizes: Annotated[Sizes, Group("how large")] = Sizes()
    near: Annotated[LatLon | None, Option("a place", "LAT,LON", parse=parse_lat_lon)] = None
    kind: Annotated[Literal["a", "b"], Option("50 % of it")] = "a"
    files: Annotated[tuple[str, ...], Option("some", "FILE")] = ()
    overrides: Annotated[tuple[str, ...], Option("more", "K=V", flag="--set", repeat=True)] = ()
    verify: Annotated[bool, Option("look twice")] = False
    given: tuple[str, ...] = ()

    def check_together(self) -> None:
        if self.verify and self.near is None:
            raise BadConfig("--verify needs --near; give both")


def parse(*arguments, environment=None):
    parser = Parser()
    add_flags(parser, Options, environment="" if environment is None else "X_")
    read = vars(parser.parse_args(arguments))
    return read_flags(Options, read, environment=environment, prefix="" if environment is None else "X_")


def test_what_is_not_given_is_the_configurations_default():
    assert parse("--out", "o") == Options(out=Path("o"), given=("--out",))


def test_every_form_of_value_is_read():
    words = ["--out", "o", "--side", "3", "--near", "-48.9,-123.4", "--kind", "b", "--files", "-1.jpg", "x"]
    made = parse(*words, "--set", "a=1", "--set", "b=2", "--verify")
    assert made.sizes == Sizes(3)
    assert (made.near, made.kind, made.files) == (LatLon(-48.9, -123.4), "b", ("-1.jpg", "x"))
    assert (made.overrides, made.verify) == (("a=1", "b=2"), True)
    assert made.given == ("--out", "--side", "--near", "--kind", "--files", "--set", "--verify")


def test_the_environment_stands_behind_the_flags():
    environment = {"X_OUT": "e", "X_SIDE": "5", "x_kind": "b", "X_VERIFY": "1", "X_NEAR": "1,2", "X_FILES": "p q"}
    made = parse("--side", "6", "--no-verify", environment=environment)
    assert (made.out, made.sizes.side, made.kind, made.verify) == (Path("e"), 6, "b", False)
    assert (made.near, made.files) == (LatLon(1, 2), ("p", "q"))
    assert parse(environment=environment).verify is True
    with pytest.raises(BadOption, match="--out is missing; give it, or set X_OUT"):
        parse(environment={"X_OUT": ""})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--side", "0"], r"--side is '0'; give a whole number in \[1, 512\]"),
        (["--side", "many"], "--side is 'many'"),
        (["--kind", "c"], "--kind is 'c'; give one of a, b"),
        (["--near", "91,0"], "--near: latitude 91.0 is not in"),
        (["--side", "0", "--kind", "c"], "--side is '0'.*; --kind is 'c'"),
        (["--verify"], "--verify needs --near"),
    ],
)
def test_what_is_wrong_is_named_by_its_flag(arguments, message):
    with pytest.raises(BadOption, match=message):
        parse("--out", "o", *arguments)


def test_a_wrong_variable_is_named_too():
    with pytest.raises(BadOption, match=r"--side \(or X_SIDE\) is '0'"):
        parse("--out", "o", environment={"X_SIDE": "0"})


@pytest.mark.parametrize("arguments", [[], ["--out", "o", "--hidden", "3"], ["--out", "o", "--sid", "3"]])
def test_what_is_missing_unknown_or_cut_short_ends_with_usage(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        parse(*arguments)
    assert "usage:" in capsys.readouterr().err


def test_the_help_tells_defaults_and_groups(capsys):
    with pytest.raises(SystemExit, match="0"):
        parse("--help")
    printed = " ".join(capsys.readouterr().out.split())
    for part in (
        "how large: --side N tiles a side (default 32)",
        "--kind a|b 50 % of it (default a)",
        "--out OUT where to",
    ):
        assert part in printed
