"""Several processes that train one network together, as `torchrun` starts them; or one, for which nothing here waits.

Each embeds its slice of every batch; descriptors are gathered and gradients summed, so that all take the same steps.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from model.common.devices import pick_device
from model.common.errors import BadConfig, ProcessLost

__all__ = ["ALONE", "Processes", "joined_processes"]

_PATIENCE = timedelta(days=1)
"""How long to wait for the others: the first decodes, mines and evaluates alone."""


@dataclass(frozen=True)
class Processes:
    """Who takes part in a run.

    Attributes:
        rank: of this process, from 0; the first one writes, logs and evaluates.
        count: of all of them.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def own_slice(self, rows: list[int]) -> list[int]:
        """This process's part of a batch, whose size is a multiple of their count."""
        share = len(rows) // self.count
        return rows[self.rank * share : (self.rank + 1) * share]

    def gather(self, part: Tensor) -> Tensor:
        """[b, ...] of each process -> [count * b, ...] in their order, without a graph."""
        if self.count == 1:
            return part.detach()
        whole = part.new_empty(self.count * len(part), *part.shape[1:])
        with _noticing_loss():
            dist.all_gather_into_tensor(whole, part.detach().contiguous())
        return whole

    @torch.no_grad()
    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace each gradient by its sum over the processes, the same to the bit in all of them."""
        if self.count == 1:
            return
        gradients = [value.grad for value in parameters if value.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        with _noticing_loss():
            dist.all_reduce(flat)
        for gradient, summed in zip(gradients, torch.split(flat, [one.numel() for one in gradients]), strict=True):
            gradient.copy_(summed.view(gradient.shape))

    def share(self, values: Tensor) -> Tensor:
        """The first process's values for all; the others pass a tensor of the same shape, which is overwritten."""
        if self.count > 1:
            with _noticing_loss():
                dist.broadcast(values, 0)
        return values

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """A block that the first process runs before the others, who then find what it made."""
        if not self.is_first:
            self.meet()
        yield
        if self.is_first:
            self.meet()

    def meet(self) -> None:
        """Wait until every process has come here."""
        if self.count > 1:
            with _noticing_loss():
                dist.barrier()


ALONE = Processes()
"""A run of one process."""


@contextmanager
def joined_processes(device: str = "auto") -> Iterator[tuple[Processes, torch.device]]:
    """This process's place among those that `torchrun` started, and its device; without torchrun, alone.

    On CUDA each process takes the device of its number on its machine. Where several processes fail, one tells why and
    the others end without a word.

    Args:
        device: as `pick_device` takes it.

    Raises:
        BadConfig: no such device here, or an environment that torchrun did not set.
        ProcessLost: another process ended without an error of its own.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield ALONE, pick_device(device)
        return
    store, processes = _meeting_place()
    if not processes.is_first:
        logging.getLogger().setLevel(logging.WARNING)
    try:
        own = pick_device(_own_device(device))
        if own.type == "cuda":
            torch.cuda.set_device(own)
        backend = "nccl" if own.type == "cuda" else "gloo"
        dist.init_process_group(
            backend, timeout=_PATIENCE, store=store, rank=processes.rank, world_size=processes.count
        )
        yield processes, own
    except BaseException as error:
        if not isinstance(error, SystemExit) and not _speaks(store):
            raise SystemExit(1) from None
        raise
    dist.destroy_process_group()


def _meeting_place() -> tuple[Store, Processes]:
    try:
        store, rank, count = next(rendezvous("env://", timeout=_PATIENCE))
    except (ValueError, RuntimeError) as error:
        raise BadConfig(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']!r} and the processes cannot meet ({error}); "
            "start them with torchrun, or unset it"
        ) from error
    return store, Processes(int(rank), int(count))


def _own_device(device: str) -> str:
    on_gpu = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if on_gpu else device


def _speaks(store: Store) -> bool:
    """Whether this process is the first one to fail; not, where the meeting place went down with another one."""
    try:
        return int(store.add("failed", 1)) == 1
    except RuntimeError:
        return False


@contextmanager
def _noticing_loss() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ProcessLost(
            f"another process of this run has ended: {str(error).splitlines()[0]}; if it says nothing itself it was "
            "killed, perhaps for want of memory. Start the same command again to go on from the last state"
        ) from error
