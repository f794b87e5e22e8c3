"""What part of a source to take: what may be asked."""

import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.options import SourceOptions


def test_options_come_back_from_json():
    assert SourceOptions.from_json({"scheme": "tms", "zoom": 3, "bands": [4, 3, 2]}) == SourceOptions(
        "tms", 3, bands=(4, 3, 2)
    )
    with pytest.raises(TypeError):
        SourceOptions.from_json({"zoo": 3})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheme": "wms"}, "'wms'"),
        ({"zoom": -1}, "zoom is -1; give 0 to"),
        ({"tile_size_m": 0.5}, "tile_size_m is 0.5; give metres on the ground"),
        ({"stride_m": 5.0}, "stride_m is 5.0 but tile_size_m is not given"),
        ({"tile_px": 31}, "tile_px is 31; give 32 to 4096 pixels"),
        ({"min_valid": 1.5}, r"min_valid is 1.5; give a share in \[0, 1\]"),
    ],
)
def test_what_cannot_be_is_refused_with_its_value(options, message):
    with pytest.raises(BadSource, match=message):
        SourceOptions(**options)
