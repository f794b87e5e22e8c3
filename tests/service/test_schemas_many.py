import pytest

from service.schemas_many import times_of


def test_times_are_seconds_that_do_not_go_back():
    assert times_of("0,2.5, 2.5,1e3") == [0.0, 2.5, 2.5, 1000.0]


@pytest.mark.parametrize("text", ["", "0,", "0,x", "1,0", "0,nan", "0,inf", "0;1"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"seconds|times"):
        times_of(text)
