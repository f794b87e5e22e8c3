import pytest

from model.common.counted import counted


@pytest.mark.parametrize(("count", "told"), [(0, "0 tiles"), (1, "1 tile"), (2, "2 tiles"), (12_345, "12,345 tiles")])
def test_only_one_is_singular(count, told):
    assert counted(count, "tile") == told
