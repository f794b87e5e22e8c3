"""The public names of a package, imported when they are first asked for (PEP 562), so that the package stays light."""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False  # for type checkers it is true; this module is all that an import of a package loads
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package.

    Args:
        package: the package's `__name__`.
        homes: module -> the names that it defines and the package shows.

    Example:
        >>> __getattr__, __dir__ = lazy_names("model", {"model.common.geo": ("LatLon",)})
        >>> __getattr__("LatLon")(47.1, 8.5)
        LatLon(lat=47.1, lon=8.5)
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def find(name: str) -> Any:
        """The public name, from the module that defines it."""
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(_imported(home_of[name], f"{package}.{name}"), name)
        setattr(sys.modules[package], name, value)  # so that it is looked up once
        return value

    def names() -> list[str]:
        """What `dir(package)` shows, with the names that are not imported yet."""
        return sorted({*vars(sys.modules[package]), *home_of})

    return find, names


def _imported(module: str, wanted: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        from model.common.extras import missing_library  # not at the top: it takes longer than all of this

        raise (missing_library(error, wanted) or error) from error
