import numpy as np

from model.synthetic.ground import PIXEL_M, Ground, Window


def test_a_window_covers_its_rectangle_and_margin():
    window = Window.around(-10.0, -5.0, 10.0, 5.25, margin_m=1.0)
    x, y = window.axes_m()
    assert x[0] - PIXEL_M / 2 <= -11.0 < x[0] + PIXEL_M
    assert x[-1] + PIXEL_M / 2 >= 11.0
    assert y[0] + PIXEL_M / 2 >= 6.25
    assert y[-1] - PIXEL_M / 2 <= -6.0
    assert (np.diff(x) == PIXEL_M).all()
    assert (np.diff(y) == -PIXEL_M).all()


def test_a_grown_window_has_the_old_one_in_its_middle():
    window = Window(3, 4, 10, 20)
    grown = window.grown(2)
    assert grown == Window(1, 2, 14, 24)
    assert grown.axes_m()[0][2:-2].tolist() == window.axes_m()[0].tolist()


def test_a_crop_is_the_same_pixels():
    window = Window(0, 0, 8, 6)
    values = np.arange(48).reshape(6, 8)
    colours = np.repeat(values[..., None], 3, axis=2).astype(np.uint8)
    ground = Ground(window, values.astype(np.float32), colours, colours + 1, values.astype(np.uint8))
    part = ground.cropped(Window(2, 1, 3, 4))
    assert part.height_m.tolist() == values[1:5, 2:5].tolist()
    assert part.side[0, 0].tolist() == [11, 11, 11]
    assert np.shares_memory(part.top, ground.top)
