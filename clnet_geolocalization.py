"""The way in under a name that nobody else's module has: console scripts, and commands in processes of their own.

`model`, `indexer` and `service` are common names. A user's own `model.py`, found first, would be imported instead of
ours. This module makes sure of ours before it imports any of them.
"""
# Every import of a package loads this module, and pathlib takes longer than all of it.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import importlib
import os
import sys

TYPE_CHECKING = False  # for type checkers it is true; to import typing takes long, too
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec

__all__ = ["PACKAGES", "command", "indexer", "main", "model", "own_first", "require_own", "service"]

PACKAGES = ("model", "indexer", "service")
_FILE = os.path.realpath(__file__)
_ROOT = os.path.dirname(_FILE)


def command(package: str, *arguments: str) -> list[str]:
    """A command line of ours for a process of its own: it runs this very code, wherever that process starts."""
    return [sys.executable, "-P", _FILE, package, *arguments]


def require_own(*packages: str) -> None:
    """Say so in one line where another module hides one of our packages.

    Raises:
        SystemExit: at a start by `python -m`, which cannot look elsewhere.
        ImportError: at any other import.
    """
    for name in packages:
        if _is_own(name):
            continue
        own = os.path.join(_ROOT, name)
        line = (
            f"Python finds {_found(name) or 'nothing'} as {name!r}, which hides this project's {own}; "
            "run clnet-model, clnet-indexer or clnet-service, which find their own, or take that folder off PYTHONPATH"
        )
        if sys.argv[:1] == ["-m"]:  # Python's word for a module that it is still looking for
            sys.exit(f"error: {line}")
        raise ImportError(line)


def own_first() -> None:
    """Import our packages from now on, whatever hides them; for programs, before they import any of them.

    A folder `service/` of the user's own, which is no package, takes the name but leaves `service.__main__` to be found
    where ours is installed in place: then our code runs, and the checks of our `service/__init__.py` have not.
    """
    if all(map(_is_own, PACKAGES)):
        return
    for name in PACKAGES:
        if name in sys.modules and not _is_own(name):
            del sys.modules[name]
    sys.path.insert(0, _ROOT)
    importlib.invalidate_caches()


def model() -> int:
    """`clnet-model`."""
    return _run("model", sys.argv[1:], prog="clnet-model")


def indexer() -> int:
    """`clnet-indexer`."""
    return _run("indexer", sys.argv[1:], prog="clnet-indexer")


def service() -> int:
    """`clnet-service`."""
    return _run("service", sys.argv[1:], prog="clnet-service")


def main() -> int:
    """`python clnet_geolocalization.py PACKAGE ...`, as `command` gives it."""
    package, *arguments = sys.argv[1:] or [""]
    if package not in PACKAGES:
        sys.exit(f"error: {package!r} is no package of this project; give one of {', '.join(PACKAGES)}")
    return _run(package, arguments, prog=f"clnet-{package}")


def _run(package: str, arguments: Sequence[str], *, prog: str) -> int:
    own_first()
    entry = importlib.import_module(f"{package}.__main__")
    return int(entry.main(arguments, prog=prog))


def _found(name: str) -> str | None:
    """What `import name` would load; a folder that is no package counts too."""
    spec = _spec(name)
    if spec is None:
        return None
    return spec.origin or next(iter(spec.submodule_search_locations or ()), None)


def _spec(name: str) -> ModuleSpec | None:
    """As `importlib.util.find_spec` does for a top-level name, without loading that module."""
    if name in sys.modules:
        return sys.modules[name].__spec__
    each = (finder.find_spec(name, None) for finder in sys.meta_path)
    return next((spec for spec in each if spec is not None), None)


def _is_own(name: str) -> bool:
    found = _found(name)
    return found is not None and os.path.realpath(os.path.dirname(found)) == os.path.join(_ROOT, name)


if __name__ == "__main__":
    sys.exit(main())
