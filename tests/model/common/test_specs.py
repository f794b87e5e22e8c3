"""Configurations check their values, name what is wrong, and load pydantic only then."""

import math
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, field, replace
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt

from model.common.errors import BadConfig, BadDataset
from model.common.specs import Wanted, spec, spec_from

ROOT = Path(__file__).parents[3]


@spec(prefix="inner.")
class Inner:
    share: Annotated[float, Ge(0), Lt(1)] = 0.5
    kind: Literal["a", "b"] = "a"


@spec()
class Outer:
    count: Annotated[int, Ge(1)]
    width: Annotated[float | None, Gt(0), Le(360)] = None
    names: tuple[str, ...] = ()
    flag: bool = False
    batch: Annotated[int, Ge(2), Wanted("at least 2 pairs")] = 4
    inner: Inner = field(default_factory=Inner)

    def check_together(self) -> None:
        if self.flag and self.width is None:
            raise BadConfig("flag is true without a width; give one")


def test_values_are_converted_where_nothing_is_lost():
    made = Outer("3", width=90, names=["x", "y"])
    assert (made.count, made.width, made.names) == (3, 90.0, ("x", "y"))
    assert isinstance(made.width, float)
    assert asdict(made)["inner"] == {"share": 0.5, "kind": "a"}
    with pytest.raises(FrozenInstanceError):
        made.count = 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 0}, "count is 0; give a whole number of at least 1"),
        ({"count": 1.5}, "count is 1.5; give a whole number of at least 1"),
        ({"count": 1, "width": 0}, r"width is 0; give a number in \(0, 360\]"),
        ({"count": 1, "width": math.nan}, "width is nan"),
        ({"count": 1, "flag": "perhaps"}, "flag is 'perhaps'; give true or false"),
        ({"count": 1, "batch": 1}, "batch is 1; give at least 2 pairs"),
        ({"count": 0, "batch": 1}, "count is 0; .*; batch is 1"),
        ({"count": 1, "flag": True}, "flag is true without a width"),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_what_to_give(values, message):
    with pytest.raises(BadConfig, match=message):
        Outer(**values)


@pytest.mark.parametrize("value", [-0.1, 1.0, math.inf, math.nan, None, "much"])
def test_a_change_is_checked_too(value):
    with pytest.raises(BadConfig, match=r"inner.share is .*; give a number in \[0, 1\)"):
        replace(Inner(), share=value)


def test_a_choice_lists_what_there_is():
    with pytest.raises(BadConfig, match=r"inner.kind is 'c'; give one of a, b"):
        Inner(kind="c")


def test_another_error_can_be_raised():
    @spec(error=BadDataset)
    class Size:
        side: Annotated[int, Ge(1)] = 1

    with pytest.raises(BadDataset, match="side is -1"):
        Size(-1)


def test_json_becomes_a_configuration():
    made = spec_from(Outer, {"count": 2, "names": ["x"], "inner": {"kind": "b"}}, "run.json")
    assert made == Outer(2, names=("x",), inner=Inner(kind="b"))


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ([], r"run.json holds \[\] where an object"),
        ({}, "run.json: count is missing; known are count, width"),
        ({"count": 1, "cuont": 2}, "run.json: unknown key cuont; known are count, width"),
        ({"count": 1, "inner": {"shrae": 1}}, "run.json: inner: unknown key shrae; known are share, kind"),
        ({"count": 1, "inner": {"share": 2}}, "run.json: inner.share is 2"),
        ({"count": 1, "inner": 3}, "run.json: inner holds 3 where an object"),
        ({"count": "many"}, "run.json: count is 'many'"),
    ],
)
def test_json_that_is_wrong_is_named_with_its_place(tree, message):
    with pytest.raises(BadConfig, match=message):
        spec_from(Outer, tree, "run.json")


def test_a_declaration_and_its_defaults_load_no_pydantic():
    code = (
        "import sys; from indexer.building.specs import BuildSpec; BuildSpec()\n"
        "assert 'pydantic' not in sys.modules; BuildSpec(batch_size=3); assert 'pydantic' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
