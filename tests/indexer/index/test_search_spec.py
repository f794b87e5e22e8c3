"""What a search may cost, as people write it."""

import pytest

from indexer.common.errors import BadRecipe
from indexer.index.search_spec import SearchChange, SearchSpec, asked_of_all, parse_size


def test_sizes_are_read_as_people_write_them() -> None:
    assert [parse_size(text) for text in ("4GB", "500 MB", "12", "1.5kB")] == [4 * 10**9, 5 * 10**8, 12, 1500]
    for text in ("", "4 gigabytes", "-1", "GB"):
        with pytest.raises(ValueError, match="is no size"):
            parse_size(text)


@pytest.mark.parametrize(("name", "value"), [("latency_ms", -1.0), ("memory", 0), ("target_recall", 1.5)])
def test_what_cannot_be_is_refused_with_its_value(name: str, value: float) -> None:
    with pytest.raises(BadRecipe, match=f"{name} is {value}; give "):
        SearchSpec(**{name: value})


def test_what_was_asked_is_what_differs_from_the_defaults_and_makes_the_same_again() -> None:
    assert SearchSpec().asked == SearchSpec(latency_ms=50, target_recall=0.95).asked == {}
    asked = SearchSpec(memory=4_000, latency_ms=0)
    assert asked.asked == {"latency_ms": 0.0, "memory": 4_000}
    assert SearchChange().of(asked.asked) == asked
    assert SearchChange(latency_ms=50).of(asked.asked) == SearchSpec(memory=4_000)


def test_of_several_segments_the_larger_one_says_what_was_asked() -> None:
    small, large = (5, {"latency_ms": 9.0, "memory": 4}), (50, {"latency_ms": 0.0})
    for parts in ([small, large], [large, small]):
        assert asked_of_all([*parts, (500, {})]) == {"latency_ms": 0.0, "memory": 4}


@pytest.mark.parametrize(("name", "value"), [("latency_ms", -1.0), ("memory", 0), ("target_recall", 0.0)])
def test_a_change_is_held_to_the_same_bounds(name: str, value: float) -> None:
    with pytest.raises(BadRecipe, match=f"{name} is {value}; give "):
        SearchChange(**{name: value})
