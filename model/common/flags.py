"""Flags of a command line, made from a typed configuration, and read back into it.

A field with an `Option` in its annotation is a flag; its name, type, bounds, default and help stand in one place:

    @spec(kw_only=True)
    class Options:
        batch_size: Annotated[int, Ge(1), Option("tiles encoded at once", "N")] = 64

A field that is a configuration itself gives its own flags, in a `Group` of the help where it has one.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from model.common.errors import BadOption
from model.common.specs import check_fields, hints_of, is_spec

__all__ = ["Group", "Option", "Parser", "add_flags", "flag_of", "read_flags"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class Option:
    """How a field is given on the command line.

    Attributes:
        help: what it says, without the default.
        metavar: stands for the value in the help.
        flag: its name, where that is not the field's.
        parse: text to value, where pydantic does not read it; a ValueError says what is wrong.
        positional: it has no name.
        repeat: it is given once for each value.
    """

    help: str
    metavar: str = ""
    flag: str = ""
    parse: Callable[[str], Any] | None = None
    positional: bool = False
    repeat: bool = False


@dataclass(frozen=True)
class Group:
    """The heading, in the help, of the flags of a configuration inside another."""

    title: str


class Parser(argparse.ArgumentParser):
    """A parser that takes what begins with a minus and a digit for a value: `--near -48.9,-123.4`, `-48.9.jpg`.

    What is unknown is refused by the command that was chosen, with its usage and the flag that looks most like it.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})
        self._negative_number_matcher = re.compile(r"-[\d.]")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is unknown here, so that a command shows its own usage and not that of the program."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._meant(unknown)}")
        return parsed, unknown

    def _meant(self, unknown: list[str]) -> str:
        """The flags that look most like unknown ones, as a question; empty where none does."""
        from difflib import get_close_matches

        known = [name for name in self._option_string_actions if name.startswith("--")]
        asked = [word.partition("=")[0] for word in unknown if word.startswith("--")]
        near = [name for word in asked for name in get_close_matches(word, known, n=1, cutoff=0.7)]
        return f"; did you mean {' and '.join(dict.fromkeys(near))}?" if near else ""


@dataclass(frozen=True)
class _Flag:
    owner: type[Any]
    path: tuple[str, ...]
    option: Option
    kind: Any
    default: Any
    group: str

    @property
    def field(self) -> str:
        return self.path[-1]

    @property
    def dest(self) -> str:
        return ".".join(self.path)

    @property
    def name(self) -> str:
        return self.option.metavar if self.option.positional else flag_of(self.field, self.option)

    @property
    def many(self) -> bool:
        return get_origin(self.kind) is tuple and self.option.parse is None

    @property
    def required(self) -> bool:
        return self.default is MISSING


def flag_of(field: str, option: Option | None = None) -> str:
    """The flag of a field: `batch_size` -> `--batch-size`."""
    return (option and option.flag) or f"--{field.replace('_', '-')}"


def add_flags(parser: argparse.ArgumentParser, cls: type[Any], *, environment: str = "") -> None:
    """Add a flag for each field that has an `Option`.

    Args:
        parser: gets them.
        cls: the configuration.
        environment: prefix of the environment variables that `read_flags` will look at too; "" for none.
    """
    groups: dict[str, Any] = {"": parser}
    flags = sorted(_flags(cls), key=lambda flag: (flag.group != "", not flag.required))
    for flag in flags:
        if flag.group not in groups:
            groups[flag.group] = parser.add_argument_group(flag.group)
        groups[flag.group].add_argument(*_names(flag), **_keywords(flag, environment))


def read_flags(
    cls: type[_T], arguments: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, prefix: str = ""
) -> _T:
    """A configuration from the flags that were given and, where those leave something out, environment variables.

    A field `given`, where there is one, gets the names of the flags that were given.

    Args:
        cls: the configuration.
        arguments: what a parser with `add_flags` has read.
        environment: variables to look at; one that is empty counts as unset.
        prefix: of the variables that belong to this program.

    Raises:
        BadOption: a value is missing, wrong or out of range, or contradicts another.
    """
    variables = {name.upper(): value for name, value in (environment or {}).items() if value}
    values: dict[tuple[str, ...], Any] = {}
    given, faults = [], []
    for flag in _flags(cls):
        variable = f"{prefix}{flag.field.upper()}" if prefix else ""
        value = arguments.get(flag.dest)
        if value is not None:
            given.append(flag.name)
        elif variable in variables:
            value = variables[variable]
        elif flag.required:
            faults.append(f"{flag.name} is missing; give it" + (f", or set {variable}" if variable else ""))
            continue
        else:
            continue
        value, fault = _convert(flag, value, f"{flag.name} (or {variable})" if variable else flag.name)
        values[flag.path] = value
        faults += fault
    if faults:
        raise BadOption("; ".join(faults))
    if any(one.name == "given" for one in fields(cls)):  # type: ignore[arg-type]
        values[("given",)] = tuple(given)
    try:
        return _built(cls, values)
    except ValueError as error:
        raise BadOption(str(error)) from error


def _flags(cls: type[Any], path: tuple[str, ...] = (), group: str = "") -> Iterator[_Flag]:
    hints = hints_of(cls)
    for one in fields(cls):
        kind, notes = _taken_apart(hints[one.name])
        option = next((note for note in notes if isinstance(note, Option)), None)
        if is_spec(kind):
            title = next((note.title for note in notes if isinstance(note, Group)), group)
            yield from _flags(kind, (*path, one.name), title)
        elif option is not None:
            yield _Flag(cls, (*path, one.name), option, kind, one.default, group)


def _taken_apart(hint: Any) -> tuple[Any, list[Any]]:
    """The type without `Annotated` and `| None`, and what `Annotated` adds."""
    notes: list[Any] = []
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return (kinds[0] if len(kinds) == 1 and len(get_args(hint)) == 2 and get_origin(hint) is not tuple else hint), notes


def _names(flag: _Flag) -> list[str]:
    return [flag.dest] if flag.option.positional else [flag.name]


def _keywords(flag: _Flag, environment: str) -> dict[str, Any]:
    """What argparse takes; it never knows defaults, so that what was given differs from what was not."""
    words: dict[str, Any] = {"default": None, "help": _help(flag, environment)}
    if not flag.option.positional:
        words |= {"dest": flag.dest, "required": flag.required and not environment}
    if flag.kind is bool:
        return words | {"action": argparse.BooleanOptionalAction if environment else "store_true"}
    choices = get_args(flag.kind) if get_origin(flag.kind) is Literal else ()
    words["metavar"] = flag.option.metavar or "|".join(choices) or flag.field.rsplit("_", 1)[-1].upper()
    if flag.option.repeat:
        return words | {"action": "append"}
    return words | ({"nargs": "+"} if flag.many else {})


def _help(flag: _Flag, environment: str) -> str:
    notes = []
    if flag.required and environment:
        notes.append("required")
    elif (
        isinstance(flag.default, str | int | float | Path)
        and flag.default != ""
        and (environment or flag.kind is not bool)
    ):
        notes.append(f"default {flag.default:g}" if isinstance(flag.default, float) else f"default {flag.default}")
    if environment:
        notes.append(f"environment {environment}{flag.field.upper()}")
    aside = f" ({'; '.join(notes)})" if notes else ""
    return f"{flag.option.help}{aside}".replace("%", "%%")


def _convert(flag: _Flag, value: Any, label: str) -> tuple[Any, list[str]]:
    if flag.option.parse is not None and isinstance(value, str):
        try:
            value = flag.option.parse(value)
        except ValueError as error:
            return None, [f"{label}: {error}"]
    if flag.many and isinstance(value, str):  # of an environment variable
        value = value.split()
    clean, faults = check_fields(flag.owner, {flag.field: value}, lambda _: label)
    return clean.get(flag.field), faults


def _built(cls: type[_T], values: Mapping[tuple[str, ...], Any]) -> _T:
    """The configuration, those inside it first."""
    direct = {path[0]: value for path, value in values.items() if len(path) == 1}
    hints = hints_of(cls)
    for one in fields(cls):  # type: ignore[arg-type]
        kind, _ = _taken_apart(hints[one.name])
        if is_spec(kind):
            direct[one.name] = _built(kind, {path[1:]: v for path, v in values.items() if path[0] == one.name})
    return cls(**direct)
