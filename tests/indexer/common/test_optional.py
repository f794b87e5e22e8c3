import sys

import pytest

from indexer.common.optional import load_milvus, load_rasterio, load_ray
from model.common.errors import MissingExtra


@pytest.mark.parametrize(
    ("library", "load", "extra"),
    [
        ("rasterio.warp", load_rasterio, "geo"),
        ("pymilvus", load_milvus, "milvus"),
        ("ray.data", load_ray, "ray"),
    ],
)
def test_a_missing_extra_is_named(library, load, extra, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=rf"clnet-geolocalization\[{extra}\]"):
        load()
