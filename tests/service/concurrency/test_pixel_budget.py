"""The pixel budget lets small pictures pass side by side and large ones one by one."""

import threading

from service.concurrency.pixel_budget import PixelBudget


def holds(budget: PixelBudget, pixels: int) -> tuple[threading.Thread, threading.Event, threading.Event]:
    """A thread that holds pixels until its second event is set; the first tells that it does."""
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with budget.hold(pixels):
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    return thread, entered, leave


def test_pictures_that_fit_together_are_held_together():
    budget = PixelBudget(10)
    parts = [holds(budget, 5) for _ in range(2)]
    assert all(entered.wait(5) for _, entered, _ in parts)
    for thread, _, leave in parts:
        leave.set()
        thread.join(5)


def test_picture_that_does_not_fit_waits_until_there_is_room():
    budget = PixelBudget(10)
    first, entered, leave = holds(budget, 8)
    assert entered.wait(5)
    second, waiting, leave_too = holds(budget, 8)
    assert not waiting.wait(0.05)
    leave.set()
    assert waiting.wait(5)
    leave_too.set()
    first.join(5)
    second.join(5)


def test_picture_larger_than_the_budget_goes_alone():
    with PixelBudget(10).hold(1000):
        pass


def test_failure_gives_the_pixels_back():
    budget = PixelBudget(10)
    for _ in range(3):
        try:
            with budget.hold(10):
                raise ValueError
        except ValueError:
            pass
