"""Typed configurations: frozen dataclasses whose values pydantic checks.

Pydantic is loaded when there is a value to check, and not before, so that a module which only declares a configuration
(and a `--help` that only shows it) loads in no time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from model.common.errors import BadConfig

__all__ = ["Wanted", "check_fields", "hints_of", "is_spec", "required_fields", "spec", "spec_from"]

_T = TypeVar("_T")
_HINTS: dict[type[Any], dict[str, Any]] = {}
_ADAPTERS: dict[tuple[type[Any], str], Any] = {}


@dataclass(frozen=True)
class Wanted:
    """What a field takes, in words that follow "give"; where its type and bounds alone do not say it well."""

    words: str


@dataclass(frozen=True)
class _Rules:
    error: type[ValueError]
    prefix: str


@dataclass_transform(frozen_default=True)
def spec(
    *, error: type[ValueError] = BadConfig, prefix: str = "", kw_only: bool = False
) -> Callable[[type[_T]], type[_T]]:
    """Make a class a frozen dataclass that checks its values, and converts them where nothing is lost (`"3"` to 3).

    Bounds stand in the annotations: `steps: Annotated[int, Ge(1)] = 1000`. A method `check_together(self)`, where there
    is one, is called afterwards and refuses values that contradict each other.

    Args:
        error: raised for a value that is wrong.
        prefix: of the names in messages, for example `optim.`.
        kw_only: all fields are given by name.
    """

    def decorate(cls: type[_T]) -> type[_T]:
        cls.__spec__ = _Rules(error, prefix)  # type: ignore[attr-defined]
        cls.__post_init__ = _check  # type: ignore[attr-defined]
        return dataclass(frozen=True, kw_only=kw_only)(cls)

    return decorate


def is_spec(kind: object) -> bool:
    """Whether a type is a configuration made by `spec`."""
    return isinstance(kind, type) and hasattr(kind, "__spec__")


def required_fields(cls: type[Any]) -> list[str]:
    """The fields without a default."""
    return [one.name for one in fields(cls) if one.default is MISSING and one.default_factory is MISSING]


def hints_of(cls: type[Any]) -> dict[str, Any]:
    """The annotation of each field, with what `Annotated` adds."""
    if cls not in _HINTS:
        _HINTS[cls] = get_type_hints(cls, include_extras=True)
    return _HINTS[cls]


def check_fields(
    cls: type[Any], values: Mapping[str, Any], label: Callable[[str], str]
) -> tuple[dict[str, Any], list[str]]:
    """Check and convert values of a configuration's fields.

    Args:
        cls: the configuration.
        values: by field.
        label: what a message calls a field.

    Returns:
        The converted values, and one message for each that is wrong.
    """
    from pydantic import ValidationError

    clean: dict[str, Any] = {}
    faults: list[str] = []
    for name, value in values.items():
        try:
            clean[name] = _adapter(cls, name).validate_python(value)
        except ValidationError as error:
            faults.append(f"{label(name)} is {value!r}; {_advice(hints_of(cls)[name], error)}")
    return clean, faults


def spec_from(cls: type[_T], tree: Any, where: str) -> _T:
    """Build a configuration, and those inside it, from parsed JSON.

    Raises:
        BadConfig: naming each key that is unknown or missing, and each value that is wrong.
    """
    return _from_tree(cls, tree, where, "")


def _from_tree(cls: type[_T], tree: Any, where: str, path: str) -> _T:
    """`path` leads from the outermost configuration to this one."""
    place = f"{where}: {path}" if path else where
    if not isinstance(tree, dict):
        raise BadConfig(f"{place} holds {tree!r} where an object with named keys is wanted")
    known = [one.name for one in fields(cls)]  # type: ignore[arg-type]
    if unknown := sorted(set(tree) - set(known)):
        raise BadConfig(f"{place}: unknown key {', '.join(unknown)}; known are {', '.join(known)}")
    if missing := [name for name in required_fields(cls) if name not in tree]:
        raise BadConfig(f"{place}: {', '.join(missing)} is missing; known are {', '.join(known)}")
    hints = hints_of(cls)
    values = {
        name: _from_tree(hints[name], value, where, f"{path}.{name}".lstrip(".")) if is_spec(hints[name]) else value
        for name, value in tree.items()
    }
    try:
        return cls(**values)
    except ValueError as error:
        named = is_spec(cls) and cls.__spec__.prefix  # type: ignore[attr-defined]
        raise BadConfig(f"{where if named else place}: {error}") from error


def _check(self: Any) -> None:
    """The `__post_init__` of every configuration."""
    cls, rules = type(self), type(self).__spec__
    values = {one.name: getattr(self, one.name) for one in fields(self)}
    given = {one.name: values[one.name] for one in fields(self) if not _is_default(one, values[one.name])}
    if given:
        clean, faults = check_fields(cls, given, lambda name: f"{rules.prefix}{name}")
        if faults:
            raise rules.error("; ".join(faults))
        for name, value in clean.items():
            object.__setattr__(self, name, value)
    if hasattr(self, "check_together"):
        self.check_together()


def _is_default(one: Field[Any], value: Any) -> bool:
    """Whether a value needs no check: the default itself, or an inner configuration, which was checked when made."""
    made_by: Any = one.default_factory
    return value is one.default or type(value) is made_by


def _adapter(cls: type[Any], name: str) -> Any:
    if (cls, name) not in _ADAPTERS:
        from pydantic import ConfigDict, TypeAdapter

        hint = hints_of(cls)[name]
        config = None if is_dataclass(_bare(hint)) else ConfigDict(allow_inf_nan=False)
        _ADAPTERS[cls, name] = TypeAdapter(hint, config=config)
    return _ADAPTERS[cls, name]


def _bare(hint: Any) -> Any:
    """The type inside `Annotated` and `| None`."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not NoneType]
        return _bare(kinds[0]) if len(kinds) == 1 else hint
    return hint


def _advice(hint: Any, error: Any) -> str:
    """What to give instead."""
    notes = _notes(hint)
    if words := next((note.words for note in notes if isinstance(note, Wanted)), None):
        return f"give {words}"
    kind = _bare(hint)
    if get_origin(kind) is Literal:
        return f"give one of {', '.join(map(str, get_args(kind)))}"
    if kind is bool:
        return "give true or false"
    if kind in (int, float):
        return f"give {'a whole number' if kind is int else 'a number'}{_range(notes)}"
    first = error.errors(include_url=False)[0]
    return str(first["msg"]).removeprefix("Value error, ")


def _notes(hint: Any) -> list[Any]:
    """What `Annotated` adds, also inside `| None`."""
    if get_origin(hint) is Annotated:
        kind, *notes = get_args(hint)
        return [*notes, *_notes(kind)]
    if get_origin(hint) in (Union, UnionType):
        return [note for kind in get_args(hint) for note in _notes(kind)]
    return []


def _range(notes: list[Any]) -> str:
    """Bounds in words: ` of at least 1`, ` in (0, 360]`."""
    low = next((note for note in notes if isinstance(note, Ge | Gt)), None)
    high = next((note for note in notes if isinstance(note, Le | Lt)), None)
    if low is None and high is None:
        return ""
    if high is None:
        return f" of at least {low.ge}" if isinstance(low, Ge) else f" above {_bound(low)}"
    if low is None:
        return f" of at most {high.le}" if isinstance(high, Le) else f" below {_bound(high)}"
    left, right = "[" if isinstance(low, Ge) else "(", "]" if isinstance(high, Le) else ")"
    return f" in {left}{_bound(low)}, {_bound(high)}{right}"


def _bound(note: Any) -> Any:
    return next(getattr(note, name) for name in ("ge", "gt", "le", "lt") if hasattr(note, name))
