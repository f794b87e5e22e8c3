"""Where the time of a training step goes: waiting for pictures, the step itself, and the operators inside it."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from torch.profiler import ProfilerActivity, profile

from model.common.devices import pick_device
from model.common.errors import BadConfig
from model.data.pairs import PairSet
from model.training.config import RunSpec
from model.training.trainer import Trainer

__all__ = ["StepProfile", "profile_steps"]

_OPERATORS = 15
"""Lines of the table of operators."""


@dataclass(frozen=True)
class StepProfile:
    """Medians over the measured steps, in milliseconds, and torch's table of operators.

    Attributes:
        waiting_ms: until the loader gave the batch.
        step_ms: forward, loss, backward and optimizers.
        pairs_per_s: of the two together.
        operators: by their own time, as torch prints them.
    """

    waiting_ms: float
    step_ms: float
    pairs_per_s: float
    operators: str

    def __str__(self) -> str:
        whole = self.waiting_ms + self.step_ms
        return (
            f"waiting for pictures {self.waiting_ms:9.1f} ms a step, {self.waiting_ms / whole:.0%}\n"
            f"the step itself      {self.step_ms:9.1f} ms a step, {self.step_ms / whole:.0%}\n"
            f"{self.pairs_per_s:,.1f} pairs/s\n\n{self.operators}"
        )


def profile_steps(run: RunSpec, pairs: PairSet, out: Path, *, device: str, steps: int) -> StepProfile:
    """Run the first steps of a run, and throw away what was learnt.

    Args:
        run: the configuration.
        pairs: the training pairs.
        out: the run's folder, beside which decoded pictures are kept; nothing is written into it.
        device: where to train.
        steps: that are measured, after one that warms up.

    Raises:
        BadConfig: the run has fewer steps.
    """
    if run.optim.steps <= steps:
        raise BadConfig(f"optim.steps is {run.optim.steps}; profiling {steps} steps needs one more, to warm up")
    trainer = Trainer(run, device=pick_device(device))
    batches = islice(trainer.batches(pairs, out.parent / "decoded"), steps + 1)
    trainer.advance(*next(batches))
    waits, works = [], []
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if trainer.device.type == "cuda" else [])]
    with profile(activities=activities) as operators:
        began = time.perf_counter()
        for batch in batches:
            ready = time.perf_counter()
            trainer.advance(*batch)  # ends with the loss as a number, so the device is done
            waits.append(ready - began)
            began = time.perf_counter()
            works.append(began - ready)
    waiting, working = statistics.median(waits), statistics.median(works)
    sort = "self_cuda_time_total" if trainer.device.type == "cuda" else "self_cpu_time_total"
    table = operators.key_averages().table(sort_by=sort, row_limit=_OPERATORS, max_name_column_width=48)
    return StepProfile(1e3 * waiting, 1e3 * working, run.optim.batch / (waiting + working), table)
