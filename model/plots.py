"""Curves as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen is needed, and none is asked for

from matplotlib import pyplot as plt

__all__ = ["plot_curves"]


def plot_curves(rows: Sequence[dict[str, str]], path: Path, *, title: str) -> None:
    """Draw the loss of every step and the recalls of every evaluation from a run's log rows."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    losses = [(int(row["step"]), float(row["loss"])) for row in rows if row["loss"]]
    left.plot(*zip(*losses, strict=True), linewidth=0.8)
    left.set(title=f"{title}: InfoNCE loss", xlabel="step", ylabel="loss")
    for name in ("recall@1", "recall@5", "recall@10"):
        points = [(int(row["step"]), float(row[name])) for row in rows if row[name]]
        if points:
            right.plot(*zip(*points, strict=True), marker="o", label=name)
    right.set(title=f"{title}: recall on the validation gallery", xlabel="step", ylabel="percent", ylim=(0, 100))
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)
