import pytest
import torch

from model.common.devices import pick_device
from model.common.errors import BadConfig


def test_the_cpu_is_always_there():
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["meta", "xpu", "cuda:99", "cuda:-1", "the fast one", ""])
def test_what_is_no_device_of_this_machine_is_refused_in_a_short_line_with_the_choices(name):
    with pytest.raises(BadConfig, match=f"device '{name}' cannot be used here; choose auto, cpu") as caught:
        pick_device(name)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


def test_devices_are_offered_where_they_are(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(BadConfig, match=r"choose auto, cpu, cuda, cuda:0, cuda:1, mps$"):
        pick_device("cuda:2")


def test_a_device_that_is_there_and_does_not_work_is_refused(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("out of order\nand a page more")

    monkeypatch.setattr(torch, "zeros", fail)
    with pytest.raises(BadConfig, match=r"device 'cpu' cannot be used here: out of order; try auto or cpu$"):
        pick_device("cpu")
