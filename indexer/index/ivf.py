"""The approximate index of corpora too large to scan for every query: inverted lists of float16 vectors.

It proposes rows; their scores are computed from the exact vectors afterwards.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import IndexDamaged
from indexer.common.optional import load_faiss
from indexer.index.manifest import SearchRecipe

__all__ = ["load_approximate", "propose_rows", "recipe_for", "write_approximate"]

_TRAINING_PER_LIST = 64
_CHUNK_ROWS = 65_536


def recipe_for(count: int, exact_up_to: int) -> SearchRecipe:
    """An exact scan up to a number of vectors, four times their square root of inverted lists beyond."""
    if count <= exact_up_to:
        return SearchRecipe()
    lists = max(1, round(4 * math.sqrt(count)))
    return SearchRecipe(kind="ivf", lists=lists, probes=min(lists, max(32, lists // 64)), candidates=8)


def write_approximate(path: Path, vectors: NDArray[np.float16], recipe: SearchRecipe) -> None:
    """Train on evenly spread rows, add all, write. Equal vectors give equal bytes on one machine."""
    faiss = load_faiss()
    count, dim = vectors.shape
    index = faiss.index_factory(dim, f"IVF{recipe.lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
    sample = np.linspace(0, count - 1, min(count, recipe.lists * _TRAINING_PER_LIST)).astype(np.int64)
    index.cp.min_points_per_centroid = 1  # silences a warning; the sample is spread over all rows
    index.train(vectors[sample].astype(np.float32))
    for start in range(0, count, _CHUNK_ROWS):
        index.add(vectors[start : start + _CHUNK_ROWS].astype(np.float32))
    with path.open("wb") as file:
        file.write(memoryview(faiss.serialize_index(index)))


def load_approximate(path: Path, recipe: SearchRecipe, *, count: int, dim: int) -> Any:
    """Open the index, memory-mapped.

    Raises:
        IndexDamaged: it cannot be read, or does not fit the vectors.
    """
    faiss = load_faiss()
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except (RuntimeError, MemoryError) as error:  # FAISS allocates what a damaged header claims
        raise IndexDamaged(f"{path} cannot be read by FAISS; rebuild the index") from error
    if (index.ntotal, index.d) != (count, dim):
        raise IndexDamaged(f"{path} holds {index.ntotal} x {index.d} vectors, the manifest says {count} x {dim}")
    index.nprobe = recipe.probes
    return index


def propose_rows(
    index: Any, queries: NDArray[np.float32], recipe: SearchRecipe, *, top_k: int
) -> list[NDArray[np.int64]]:
    """For each query the rows worth scoring exactly.

    Raises:
        IndexDamaged: it proposes rows that there are not.
    """
    _, rows = index.search(queries, min(index.ntotal, max(64, recipe.candidates * top_k)))
    if rows.max(initial=-1) >= index.ntotal:
        raise IndexDamaged(f"search.faiss names row {rows.max()}, the index has {index.ntotal}; rebuild the index")
    return [found[found >= 0].astype(np.int64) for found in rows]
