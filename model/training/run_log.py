"""What a run leaves to look at: `log.csv`, TensorBoard events, and the curves as a PNG.

Without the `train` extra (TensorBoard) the CSV is still written and a warning says what is missing.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from model.common.atomic_io import staged_file

__all__ = ["RunLog", "read_log"]

_log = logging.getLogger(__name__)
_COLUMNS = (
    *("step", "loss", "lr", "seconds", "pairs_per_s"),
    *("recall@1", "recall@5", "recall@10", "recall@1%"),
)


class RunLog:
    """Writes one row a step; on resume, drops rows beyond the state that is resumed from."""

    def __init__(self, folder: Path, *, resume_at: int) -> None:
        """Open the log of a run folder."""
        self.path = folder / "log.csv"
        self.rows = [row for row in read_log(self.path) if int(row["step"]) <= resume_at]
        self._rewrite()
        self._file = self.path.open("a", newline="")
        self._writer = csv.DictWriter(self._file, _COLUMNS, lineterminator="\n")
        self._board = _tensorboard(folder, resume_at)

    @property
    def seconds(self) -> float:
        """Time of all steps and of the evaluations between them, before and after a resume."""
        return sum(float(row["seconds"]) for row in self.rows if row["seconds"])

    def step(self, step: int, *, loss: float, lr: float, seconds: float, pairs_per_s: float) -> None:
        """Note one optimizer step.

        Args:
            step: counted from 1.
            loss: before it.
            lr: learning rate.
            seconds: since the step before, evaluations included.
            pairs_per_s: pace of this step with its wait for pictures, evaluations left out.
        """
        row = {"loss": f"{loss:.6f}", "lr": f"{lr:.3e}", "seconds": f"{seconds:.3f}"}
        self._add({"step": step, **row, "pairs_per_s": f"{pairs_per_s:.1f}"})
        self._scalars(step, {"loss": loss, "lr": lr, "pairs_per_s": pairs_per_s})

    def recall(self, step: int, recall: Mapping[str, float]) -> None:
        """Note an evaluation, in percent."""
        self._add({"step": step, **{name: f"{value:.3f}" for name, value in recall.items()}})
        self._scalars(step, recall)

    def plot(self, path: Path, *, title: str) -> None:
        """Draw loss and recall against steps."""
        from model.common.plots import plot_curves

        plot_curves(self.rows, path, title=title)

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def _add(self, row: Mapping[str, Any]) -> None:
        full = {name: str(row.get(name, "")) for name in _COLUMNS}
        self.rows.append(full)
        self._writer.writerow(full)
        self._file.flush()

    def _scalars(self, step: int, values: Mapping[str, float]) -> None:
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def _rewrite(self) -> None:
        with staged_file(self.path) as staged, staged.open("w", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)


def read_log(path: Path) -> list[dict[str, str]]:
    """The rows of a `log.csv`; none where there is no file. A row cut short by a kill is left out."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]


def _tensorboard(folder: Path, purge_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        _log.warning("no TensorBoard events: install the train extra (pip install '.[train]')")
        return None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=purge_step + 1)
