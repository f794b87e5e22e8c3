import gc

import pytest

from model.common.garbage import garbage_left


def _fail_inside() -> None:
    with garbage_left():
        assert not gc.isenabled()
        raise KeyError


def test_nobody_looks_for_garbage_in_the_block_and_as_before_after_it() -> None:
    with pytest.raises(KeyError):
        _fail_inside()
    assert gc.isenabled()
    gc.disable()
    try:
        with garbage_left():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
