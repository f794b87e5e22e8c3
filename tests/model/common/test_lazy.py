import sys

import pytest

import model
from model.common.errors import MissingExtra
from model.common.lazy import lazy_names


def test_a_name_comes_from_its_home_and_is_looked_up_once(monkeypatch):
    monkeypatch.delitem(vars(model), "LatLon", raising=False)
    find, names = lazy_names("model", {"model.common.geo": ("LatLon",)})
    found = find("LatLon")
    assert found.__module__ == "model.common.geo"
    assert vars(model)["LatLon"] is found
    assert "LatLon" in names()


def test_names_are_shown_before_they_are_imported():
    _, names = lazy_names("model", {"model.not_there": ("Later",)})
    assert "Later" in names()
    assert "__doc__" in names()


@pytest.mark.parametrize(("library", "what"), [("rasterio", "'clnet-geolocalization[geo]'"),
                                               ("scipy", "clnet-geolocalization")])  # fmt: skip
def test_a_missing_library_is_named_with_the_extra_that_brings_it(monkeypatch, tmp_path, library, what):
    (tmp_path / f"needs_{library}.py").write_text(f"import {library}\n")
    monkeypatch.syspath_prepend(tmp_path)
    for loaded in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, library, None)
    find, _ = lazy_names("model", {f"needs_{library}": ("Thing",)})
    with pytest.raises(MissingExtra, match=r"model\.Thing needs") as caught:
        find("Thing")
    assert f"{library}, which is not installed; run `pip install {what}`" in str(caught.value)
