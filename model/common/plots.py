"""Curves as PNG."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.common.pyplot import import_pyplot

__all__ = ["plot_curves", "plot_recall"]

_PROTOCOL_COLUMNS = 120


def plot_curves(rows: Sequence[dict[str, str]], path: Path, *, title: str) -> None:
    """Draw the loss of every step and the recalls of every evaluation from a run's log rows.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    plt = import_pyplot("drawing curves")
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


def plot_recall(curves: Mapping[str, NDArray[np.float64]], path: Path, *, title: str, protocol: str) -> None:
    """Draw recall in percent at every k from 1 on, a line for each reading of what is right; below it the protocol.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    plt = import_pyplot("drawing curves")
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, recall in curves.items():
        axes.plot(np.arange(1, len(recall) + 1), recall, marker="o", markersize=3, linewidth=1, label=name)
    axes.set(title=title, xlabel="k", ylabel="recall@k, percent", xscale="log", xlim=(0.9, None), ylim=(0, 101))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.legend(loc="lower right")  # where recall, which rises with k, is not
    axes.grid(alpha=0.3, which="both")
    figure.supxlabel(textwrap.fill(protocol, _PROTOCOL_COLUMNS), fontsize=7)
    figure.savefig(path, dpi=120)
    plt.close(figure)
