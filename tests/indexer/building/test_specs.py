"""How a build works: values that make no sense are refused, and only what the bytes depend on identifies it."""

import os

import pytest

from indexer.building.specs import BuildSpec
from indexer.common.errors import BadSource


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"batch_size": 0}, "batch_size"), ({"workers": 0}, "workers"), ({"max_failed": 1.1}, r"a share in \[0, 1\]")],
)
def test_what_cannot_be_meant_is_refused(values, reason):
    with pytest.raises(BadSource, match=reason):
        BuildSpec(**values)


def test_threads_are_as_many_as_given_or_one_a_processor():
    assert BuildSpec(workers=3).threads == 3
    assert BuildSpec().threads == (os.cpu_count() or 1)


def test_threads_and_failures_are_no_part_of_its_identity_and_the_rest_is():
    assert BuildSpec(workers=3, max_failed=0.5).identity() == BuildSpec().identity()
    for changed in ({"batch_size": 8}, {"shard_tiles": 8}, {"exact_up_to": 8}):
        assert BuildSpec(**changed).identity() != BuildSpec().identity()
