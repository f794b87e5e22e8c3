import sys

import pytest

from indexer.lazy import load_rasterio
from model.errors import MissingExtra


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rasterio.warp", None)
    with pytest.raises(MissingExtra, match=r"clnet-geolocalization\[geo\]"):
        load_rasterio()
