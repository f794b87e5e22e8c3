"""What is taken of a source: checked when it is said, and stated again by an index without loss."""

from dataclasses import asdict

import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.options import SourceOptions
from model.common.geo import Bounds


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"scheme": "tsm"}, "scheme is 'tsm'"),
        ({"zoom": 31}, "zoom"),
        ({"tile_size_m": 0.5}, "metres on the ground, 1 to 1,000,000"),
        ({"tile_px": 16}, "32 to 4096 pixels"),
        ({"min_valid": 1.5}, r"a share in \[0, 1\]"),
        ({"stride_m": 50.0}, "stride_m is 50.0 but tile_size_m is not given"),
        ({"bands": ("red",)}, "bands"),
    ],
)
def test_what_cannot_be_meant_is_refused(values, reason):
    with pytest.raises(BadSource, match=reason):
        SourceOptions(**values)


def test_text_that_is_a_number_is_taken_as_one():
    assert SourceOptions(zoom="15", min_valid="0.25") == SourceOptions(zoom=15, min_valid=0.25)


def test_options_survive_being_stated():
    options = SourceOptions(zoom=17, bands=(4, 3, 2), tile_size_m=100.0, stride_m=50.0, nodata=0.0)
    assert SourceOptions.from_json(asdict(options)) == options
    assert SourceOptions(bbox=Bounds(8.0, 47.0, 9.0, 48.0)).bbox == Bounds(8.0, 47.0, 9.0, 48.0)


def test_an_option_of_another_version_is_no_option():
    with pytest.raises(TypeError, match="sharpen"):
        SourceOptions.from_json({"sharpen": True})
