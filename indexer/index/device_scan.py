"""Exact search over a copy of the vectors in the memory of a GPU. Needs torch.

The device proposes by float32 sums; the last decision is made here in float64, as in every exact search, so the answers
are those of `ExactScan`.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadRecipe
from indexer.common.optional import load_torch
from indexer.index.exact_search import ROUNDING, SPARE, ExactScan, Found, expand_runs

__all__ = ["DeviceScan"]

_BLOCK_BYTES = 256 << 20
"""Of rows turned to float32 at once."""
_SCORES_BYTES = 1 << 30
"""Of scores held at once: queries that would take more are asked one group after another."""


class DeviceScan(ExactScan):
    """Scores of queries against rows [N, D] of unit vectors that a device holds. Thread-safe: one search at a time.

    Args:
        vectors: float16 [N, D], memory-mapped; they are copied to the device now.
        device: cuda, cuda:N, mps or cpu.

    Raises:
        BadConfig: there is no such device.
        BadRecipe: its memory is too small.
        MissingExtra: torch is not installed.
    """

    def __init__(self, vectors: NDArray[np.float16], device: str) -> None:
        super().__init__(vectors, threads=1)
        self._torch = load_torch()
        from model.common.devices import pick_device

        self._device = pick_device(device)
        self._turn = threading.Lock()
        self._require_room()
        self._block_rows = max(1, _BLOCK_BYTES // (4 * vectors.shape[1]))
        self._rows = self._torch.empty(vectors.shape, dtype=self._torch.float16, device=self._device)
        for at in range(0, len(vectors), self._block_rows):
            part = np.array(vectors[at : at + self._block_rows])  # a copy, which torch may look at
            self._rows[at : at + len(part)] = self._torch.from_numpy(part).to(self._device)

    def candidates(self, queries: NDArray[np.float32], runs: NDArray[np.int64], *, top_k: int) -> list[list[Found]]:
        """As `ExactScan.candidates`, of all runs together."""
        count = int((runs[:, 1] - runs[:, 0]).sum())
        if not count:
            return []
        # All rows need not be written out one by one.
        rows = None if count == len(self.vectors) else expand_runs(runs)
        at_once = max(1, _SCORES_BYTES // (4 * count))
        found: list[Found] = []
        with self._turn, self._torch.inference_mode():
            chosen = None if rows is None else self._torch.from_numpy(rows).to(self._device)
            for at in range(0, len(queries), at_once):
                scores = self._scores(chosen, queries[at : at + at_once])
                found += [self._best(column, top_k) for column in scores]
        return [[(score, place if rows is None else rows[place]) for score, place in found]]

    def close(self) -> None:
        """Give the device's memory back."""
        super().close()
        with self._turn:
            self._rows = self._rows[:0].clone()

    def _scores(self, chosen: Any, queries: NDArray[np.float32]) -> Any:
        """float32 [Q, R] of some rows, or of all; rows that are no numbers score minus infinity."""
        asked = self._torch.from_numpy(queries).to(self._device).T
        count = len(self._rows) if chosen is None else len(chosen)
        scores = self._torch.empty((asked.shape[1], count), dtype=self._torch.float32, device=self._device)
        for at in range(0, count, self._block_rows):
            part = slice(at, at + self._block_rows)
            rows = self._rows[part if chosen is None else chosen[part]].float()
            scores[:, part] = (rows @ asked).T  # torch keeps float32 whole here unless it is told otherwise
        return scores.nan_to_num_(nan=-np.inf, posinf=np.inf, neginf=-np.inf)

    def _best(self, scores: Any, top_k: int) -> Found:
        """Scores and places of those that may be among the best: a few more, and all that tie with the last."""
        wanted = min(len(scores), top_k + SPARE)
        best, places = self._torch.topk(scores, wanted)
        last = float(best[min(top_k, wanted) - 1]) - 2 * ROUNDING
        if wanted < len(scores) and float(best[-1]) >= last:
            places = self._torch.nonzero(scores > last).ravel()
            best = scores[places]
        score, place = best.cpu().numpy(), places.cpu().numpy().astype(np.int64)
        kept = score > -np.inf
        return score[kept], place[kept]

    def _require_room(self) -> None:
        if self._device.type != "cuda":
            return
        free, _ = self._torch.cuda.mem_get_info(self._device)
        wanted = self.vectors.nbytes + 2 * _BLOCK_BYTES + _SCORES_BYTES
        if wanted > free:
            raise BadRecipe(
                f"the vectors and what a search needs take {wanted / 1e9:.1f} GB on {self._device}, of which "
                f"{free / 1e9:.1f} GB are free; search on the processor, or split the index"
            )
