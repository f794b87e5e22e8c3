"""What must hold before a run begins: pairs that it can learn from, and processes that can share its work."""

from __future__ import annotations

from model.common.errors import BadConfig, BadDataset
from model.data.pairs import PairSet
from model.inputs.anchors import REACH
from model.training.config import RunSpec
from model.training.distributed import Processes

__all__ = ["require_fit"]


def require_fit(run: RunSpec, pairs: PairSet, processes: Processes, batch: int) -> None:
    """Refuse pairs that this run cannot learn from, `batch` at once, and what several processes cannot share.

    Raises:
        BadConfig: a batch that they cannot divide, or an early end that only one of them would notice.
        BadDataset: fewer different tiles than in a batch, no margin around anchors, or tiles that ask for pictures.
    """
    if pairs.query_view != "ground" or pairs.more_positives:
        raise BadDataset(
            f"{pairs.name} asks for the pictures of a tile, to evaluate with; train on the other direction"
        )
    if run.inputs.anchors > 1 and (least := min(tile.margin for tile in pairs.references)) < REACH:
        raise BadDataset(
            f"{pairs.name} has a tile with a margin of {least}; inputs.anchors {run.inputs.anchors} asks for pictures "
            f"centred on the camera that show {REACH} of a tile's side beyond it (reference_margin), or set it to 1"
        )
    if (tiles := len(set(pairs.positives.tolist()))) < batch:
        raise BadDataset(
            f"{pairs.name} has {len(pairs.queries)} pairs over {tiles} tiles, fewer than one batch of "
            f"{batch}, which holds each tile once; lower optim.batch, or add pairs"
        )
    if run.optim.patience and processes.count > 1:
        raise BadConfig(
            f"optim.patience is {run.optim.patience} and there are {processes.count} processes, of which one evaluates "
            "and the others would wait for ever; set it to 0, or train in one process"
        )
    if run.optim.batch % processes.count:
        raise BadConfig(
            f"optim.batch is {run.optim.batch} and there are {processes.count} processes; the batch is that of all of "
            f"them together, so give a multiple of {processes.count}"
        )
