import sys

import pytest

from model.common.errors import MissingExtra
from model.common.pyplot import import_pyplot


def test_it_draws_without_a_screen():
    plt = import_pyplot("drawing")
    assert plt.get_backend().lower() == "agg"
    assert plt is sys.modules["matplotlib.pyplot"]


def test_where_it_is_missing_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"drawing needs matplotlib, .*geolocalization\[plots\]"):
        import_pyplot("drawing")
