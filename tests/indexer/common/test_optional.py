import sys

import pytest

from indexer.common.optional import load_rasterio
from model.common.errors import MissingExtra


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rasterio.warp", None)
    with pytest.raises(MissingExtra, match=r"clnet-geolocalization\[geo\]"):
        load_rasterio()
