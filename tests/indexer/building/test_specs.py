"""How a build works: what may be asked, and what the result depends on."""

from dataclasses import replace

import pytest

from indexer.building.specs import BuildSpec
from indexer.common.errors import BadSource


def test_what_does_not_change_the_result_is_not_part_of_its_identity():
    spec = BuildSpec()
    assert spec.identity() == replace(spec, workers=3, max_failed=1.0).identity()
    assert spec.identity() != replace(spec, batch_size=3).identity()
    assert spec.identity() != replace(spec, read_whole=True).identity()  # its stamps cannot be compared with others


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch_size", 0), ("shard_tiles", 0), ("workers", 0), ("max_failed", 1.01), ("max_failed", -0.1)],
)
def test_what_cannot_be_is_refused_with_its_value(name, value):
    with pytest.raises(BadSource, match=f"{name} is {value}; give "):
        BuildSpec(**{name: value})
