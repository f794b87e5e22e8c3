import pytest

from model.common.counted import counted


@pytest.mark.parametrize(("count", "told"), [(0, "0 tiles"), (1, "1 tile"), (2, "2 tiles"), (12_345, "12,345 tiles")])
def test_only_one_is_singular(count, told):
    assert counted(count, "tile") == told


def test_a_verb_agrees_with_it():
    assert [counted(count, "row", "repeats", "repeat") for count in (1, 2)] == ["1 row repeats", "2 rows repeat"]
