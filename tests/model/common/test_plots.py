import numpy as np
import pytest
from PIL import Image

from model.common.plots import plot_curves, plot_recall


def test_a_run_is_drawn_with_and_without_an_evaluation(tmp_path):
    rows = [
        {"step": "1", "loss": "2.0", "recall@1": "", "recall@5": "", "recall@10": ""},
        {"step": "2", "loss": "1.0", "recall@1": "10", "recall@5": "20", "recall@10": "30"},
    ]
    plot_curves(rows, tmp_path / "curves.png", title="mine")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > picture.height
        drawn = np.asarray(picture.convert("RGB"))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize("protocol", ["ties pessimistic", "a long protocol; " * 30])
def test_recall_is_drawn_above_its_protocol(tmp_path, protocol):
    curves = {"positives": np.array([10.0, 50.0, 90.0]), "within 5 m": np.array([20.0, 60.0, 95.0])}
    plot_recall(curves, tmp_path / "recall.png", title="mine", protocol=protocol)
    with Image.open(tmp_path / "recall.png") as picture:
        assert picture.format == "PNG"
        assert picture.size == (840, 540)
