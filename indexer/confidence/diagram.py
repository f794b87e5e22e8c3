"""The reliability diagram of a calibration as PNG."""

from __future__ import annotations

import io

import numpy as np

from indexer.confidence.fitting import Fitted
from model.common.pyplot import import_pyplot

__all__ = ["draw_reliability"]

_BARS = np.linspace(0.0, 1.0, 21)


def draw_reliability(fitted: Fitted) -> bytes:
    """Above, the share of right answers by confidence, each dot a bin of equal mass; below, how many photos.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    plt = import_pyplot("a reliability diagram")
    held_out, radius_m = fitted.held_out, fitted.calibration.reading.here_m
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(5.5, 7), height_ratios=(3, 1), sharex=True, layout="constrained"
    )
    above.plot([0, 1], [0, 1], color="grey", linewidth=0.8, label="confidence = share")
    points = [(one.confidence, one.right) for one in held_out.bins]
    above.plot(*zip(*points, strict=True), marker="o", label=f"{held_out.photos:,} photos, left out while fitting")
    above.set(title=f"ECE {held_out.ece:.3f}, Brier score {held_out.brier:.3f}", ylabel=f"share within {radius_m:g} m")
    above.legend(loc="upper left")
    parts = [fitted.confidence[fitted.right], fitted.confidence[~fitted.right]]
    below.hist(parts, bins=_BARS.tolist(), stacked=True, label=["right", "wrong"])
    below.set(xlabel="confidence", ylabel="photos", xlim=(0, 1))
    below.legend(loc="upper left")  # the search for the best place warns on a slow machine
    for axes in (above, below):
        axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()
