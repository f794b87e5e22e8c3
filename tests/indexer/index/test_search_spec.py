"""What a search may cost, as people write it."""

import pytest

from indexer.common.errors import BadRecipe
from indexer.index.search_spec import SearchSpec, parse_size


def test_sizes_are_read_as_people_write_them() -> None:
    assert [parse_size(text) for text in ("4GB", "500 MB", "12", "1.5kB")] == [4 * 10**9, 5 * 10**8, 12, 1500]
    for text in ("", "4 gigabytes", "-1", "GB"):
        with pytest.raises(ValueError, match="is no size"):
            parse_size(text)


@pytest.mark.parametrize(("name", "value"), [("latency_ms", -1.0), ("memory", 0), ("target_recall", 1.5)])
def test_what_cannot_be_is_refused_with_its_value(name: str, value: float) -> None:
    with pytest.raises(BadRecipe, match=f"{name} is {value}; give "):
        SearchSpec(**{name: value})
