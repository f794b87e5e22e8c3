import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.options import SourceOptions
from model.common.geo import Bounds


def test_options_come_back_from_what_a_source_described():
    options = SourceOptions(zoom=18, scheme="tms", nodata=0.0)
    assert SourceOptions.from_json({"zoom": 18, "scheme": "tms", "nodata": 0.0}) == options
    assert SourceOptions(bbox=Bounds(8.0, 47.0, 9.0, 48.0)).bbox == Bounds(8.0, 47.0, 9.0, 48.0)
    with pytest.raises(TypeError):
        SourceOptions.from_json({"zooom": 18})


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"scheme": "wms"}, "scheme is 'wms'"),
        ({"zoom": 99}, "zoom"),
        ({"tile_size_m": 0.5}, "metres on the ground"),
        ({"tile_px": 8}, "32 to 4096 pixels"),
        ({"min_valid": 1.5}, "a share in"),
        ({"stride_m": 50.0}, "give both, in metres"),
    ],
)
def test_what_no_source_can_do_is_refused(wrong, reason):
    with pytest.raises(BadSource, match=reason):
        SourceOptions(**wrong)
