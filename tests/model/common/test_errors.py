import inspect

import pytest

import indexer.common.errors
import model.common.errors
import service.errors
from model.common.errors import GeoLocalizationError


def errors_of(module):
    return [kind for _, kind in inspect.getmembers(module, inspect.isclass)
            if issubclass(kind, GeoLocalizationError) and kind.__module__ == module.__name__]  # fmt: skip


@pytest.mark.parametrize("module", [model.common.errors, indexer.common.errors, service.errors])
def test_every_error_has_the_one_base_and_the_built_in_that_fits(module):
    kinds = [kind for kind in errors_of(module) if kind is not GeoLocalizationError]
    assert len(kinds) >= 5
    for kind in kinds:
        assert issubclass(kind.__mro__[1], GeoLocalizationError), kind
        assert any(base.__module__ == "builtins" and base not in (Exception, object) for base in kind.__mro__[1:-3]), (
            kind
        )
        assert kind.__name__ in module.__all__


@pytest.mark.parametrize("module", [model.common.errors, indexer.common.errors, service.errors])
def test_the_tree_in_the_docstring_is_the_tree(module):
    for kind in errors_of(module):
        if kind is not GeoLocalizationError:
            line = next(line for line in module.__doc__.splitlines() if f"─ {kind.__name__} " in line)
            own = kind.__bases__[-1].__module__ == "builtins"
            assert kind.__bases__[-1].__name__ in line if own else line.startswith("│"), line
