"""The ablation on real pairs as one figure: what each change of the training data brought.

    python -m benchmarks.figure_real

Reads `results/trials/real-ablation.jsonl`, writes `results/real-ablation.png`.
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks.record import RESULTS

_ARMS = {
    "first demo": ("ft-home+geo", 0),
    "+ horizon and\nground size": ("ft-home+geo", 80),
    "+ open country": ("ft-all+geo", 80),
    "+ strong colours": ("ft-all+geo+col", 80),
}
"""What is shown: a label, the trial, and the step at which it was measured."""

_MEASURES = {"R1": "R@1 among 1,676", "R5": "R@5 among 1,676", "head": "true heading first of 16"}


def main() -> None:
    """Draw the bars: as a user would lay the panoramas, and with the horizon where it is."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    lines = (RESULTS / "trials" / "real-ablation.jsonl").read_text().splitlines()
    rows: dict[tuple[str, int], dict[str, Any]] = {(r["name"], r["step"]): r for r in map(json.loads, lines)}
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axes, laid in zip(panels, ("as it is", "horizon known"), strict=True):
        for number, (key, label) in enumerate(_MEASURES.items()):
            values = [rows[arm][laid][key] for arm in _ARMS.values()]
            places = [place + 0.27 * (number - 1) for place in range(len(_ARMS))]
            axes.bar_label(axes.bar(places, values, 0.25, label=label), fmt="%.0f", fontsize=8)
        axes.set(xticks=range(len(_ARMS)), title=f"panorama: {laid}", ylim=(0, 100))
        axes.set_xticklabels(_ARMS, fontsize=8)
        axes.grid(axis="y", alpha=0.3)
    panels[0].set_ylabel("percent of 25 real pairs")
    panels[0].legend(fontsize=8)
    figure.savefig(RESULTS / "real-ablation.png", dpi=110)


if __name__ == "__main__":
    main()
