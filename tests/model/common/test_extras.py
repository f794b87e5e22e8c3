import sys

import pytest

from model.common.errors import MissingExtra
from model.common.extras import import_extra, is_installed, missing_library


def test_a_library_that_is_there_is_imported():
    assert import_extra("json", "nothing") is sys.modules["json"]
    assert is_installed("json")


@pytest.mark.parametrize(
    ("library", "remedy"),
    [
        ("torch", r"pip install 'clnet-geolocalization\[train\]'"),
        ("openvino", r"pip install 'clnet-geolocalization\[openvino\]'"),
        ("matplotlib", r"pip install 'clnet-geolocalization\[plots\]'"),
        ("pyarrow", "pip install clnet-geolocalization"),
    ],
)
def test_a_missing_one_is_named_with_what_brings_it(monkeypatch, library, remedy):
    monkeypatch.setitem(sys.modules, library, None)
    assert not is_installed(library)
    with pytest.raises(MissingExtra, match=f"this needs {library}, which is not installed; run `{remedy}`"):
        import_extra(library, "this")


def test_a_module_of_our_own_is_no_extra():
    assert missing_library(ModuleNotFoundError("lost", name="model.lost"), "this") is None
    with pytest.raises(ModuleNotFoundError):
        import_extra("model.lost", "this")
