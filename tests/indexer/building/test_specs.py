import os

import pytest

from indexer.building.specs import BuildSpec
from indexer.common.errors import BadSource


def test_what_does_not_change_the_bytes_is_no_part_of_the_identity():
    assert BuildSpec(workers=3, max_failed=0.5).identity() == BuildSpec().identity()
    assert BuildSpec(batch_size=8).identity() != BuildSpec().identity()


def test_threads_are_as_many_as_processors_unless_given():
    assert BuildSpec().threads == (os.cpu_count() or 1)
    assert BuildSpec(workers=3).threads == 3


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"shard_tiles": 0}, {"workers": 0}, {"max_failed": 1.5}])
def test_a_build_that_cannot_work_is_refused_by_its_option(wrong):
    with pytest.raises(BadSource, match=next(iter(wrong))):
        BuildSpec(**wrong)
