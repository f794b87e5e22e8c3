"""The approximate index of segments too large to scan for every query: inverted lists of coarse codes.

It proposes rows; their scores are computed from the exact vectors afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import BadRecipe, IndexDamaged
from indexer.common.optional import load_faiss
from indexer.index.manifest import SearchRecipe

__all__ = [
    "Codes",
    "codes_within",
    "lists_for",
    "load_approximate",
    "propose_rows",
    "selector",
    "size_of_lists",
    "training_bytes",
    "write_approximate",
]

_TRAINING_PER_LIST = 64
_ITERATIONS = 10
"""Of k-means; FAISS's 25 find no more (decision 0036), and take most of a build's time."""
_CHUNK_ROWS = 16_384
_ID_BYTES = 8
_CODES_OF_A_PART = 16
"""What a product quantizer of 4 bits learns for each part, so it wants as many vectors."""
_BLOCK_CODES = 32


@dataclass(frozen=True)
class Codes:
    """How vectors are coded in the lists.

    Attributes:
        factory: FAISS's name of it.
        bytes_per_vector: without the vector's number.
    """

    factory: str
    bytes_per_vector: int


def lists_for(count: int) -> int:
    """Number of inverted lists: four times the square root of the number of vectors."""
    return max(1, min(count, round(4 * math.sqrt(count))))


def codes_within(count: int, dim: int, memory: int | None) -> Codes:
    """The finest codes of vectors [count, dim] that fit the memory: 4 bits for two numbers where it is not limited.

    Products of 4 bits, which FAISS compares in registers: beside 8 bits a number they take a quarter of the bytes and
    less than half the time, and find as much among as many candidates, since the exact vectors decide (decision 0036).
    Vectors of odd length, and fewer than 16, have 8 bits a number.

    Raises:
        BadRecipe: none does.
    """
    choices = [
        Codes(f"PQ{parts}x4fs", -(-parts // 2))
        for parts in (dim // 2, dim // 4, dim // 8)
        if parts and dim % parts == 0 and count >= _CODES_OF_A_PART
    ] or [Codes("SQ8", dim)]
    sizes = [_size(count, dim, codes) for codes in choices]
    for codes, size in zip(choices, sizes, strict=True):
        if memory is None or size <= memory:
            return codes
    raise BadRecipe(
        f"the coarsest codes of {count:,} vectors of {dim} numbers take {sizes[-1]:,} bytes, --memory allows "
        f"{memory or 0:,}; allow more, take fewer anchors, or split the index"
    )


def size_of_lists(count: int, dim: int, memory: int | None) -> int:
    """Bytes of the lists of vectors [count, dim] on disk, and in memory while they are made or open.

    Raises:
        BadRecipe: no codes are small enough for the memory.
    """
    return _size(count, dim, codes_within(count, dim, memory))


def _size(count: int, dim: int, codes: Codes) -> int:
    """Codes lie in blocks of 32, of which the last one of each list is filled up; each vector has its number."""
    lists = lists_for(count)
    filled = min(count * _BLOCK_CODES, count + lists * (_BLOCK_CODES - 1))
    return filled * codes.bytes_per_vector + count * _ID_BYTES + lists * dim * 4


def training_bytes(count: int, dim: int) -> int:
    """Memory that the vectors take from which the lists are learnt."""
    return min(count, lists_for(count) * _TRAINING_PER_LIST) * dim * 4


def write_approximate(path: Path, vectors: NDArray[np.float16], lists: int, codes: Codes) -> None:
    """Train on evenly spread rows, add all, write. Equal vectors give equal bytes on one machine."""
    faiss = load_faiss()
    count, dim = vectors.shape
    index = faiss.index_factory(dim, f"IVF{lists},{codes.factory}", faiss.METRIC_INNER_PRODUCT)
    sample = np.linspace(0, count - 1, min(count, lists * _TRAINING_PER_LIST)).astype(np.int64)
    index.cp.min_points_per_centroid = 1  # silences a warning; the sample is spread over all rows
    index.cp.niter = _ITERATIONS
    if hasattr(index, "pq"):
        index.pq.cp.min_points_per_centroid = 1
    index.train(vectors[sample].astype(np.float32))
    for start in range(0, count, _CHUNK_ROWS):
        index.add(vectors[start : start + _CHUNK_ROWS].astype(np.float32))
    _stream(index, path)


def _stream(index: Any, path: Path) -> None:
    """Write an index a block at a time, and tell why where that fails: FAISS itself would not."""
    faiss = load_faiss()
    failures: list[OSError] = []
    with path.open("wb") as file:

        def write(block: bytes) -> None:
            try:
                if not failures:
                    file.write(block)
            except OSError as error:
                failures.append(error)

        to_python = faiss.PyCallbackIOWriter(write)
        buffered = faiss.BufferedIOWriter(to_python)
        faiss.write_index(index, buffered)
        del buffered  # which hands over the rest
    if failures:
        raise failures[0]


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


def selector(kept: NDArray[np.bool_]) -> Any:
    """Which vectors a search may propose, from bool [N]."""
    faiss = load_faiss()
    bits = np.packbits(kept, bitorder="little")
    chosen = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
    chosen.bits = bits  # FAISS looks at this memory
    return chosen


def propose_rows(
    index: Any, queries: NDArray[np.float32], recipe: SearchRecipe, *, top_k: int, kept: Any = None
) -> list[NDArray[np.int64]]:
    """For each query the rows worth scoring exactly.

    Args:
        index: opened.
        queries: float32 [Q, D].
        recipe: how many lists to visit, and how many rows to propose for each answer.
        top_k: answers that are wanted.
        kept: a `selector`, or None for all rows.

    Raises:
        IndexDamaged: it proposes rows that there are not.
    """
    faiss = load_faiss()
    how = faiss.SearchParametersIVF(nprobe=recipe.probes, sel=kept)
    _, rows = index.search(queries, min(index.ntotal, max(64, recipe.candidates * top_k)), params=how)
    if rows.max(initial=-1) >= index.ntotal:
        raise IndexDamaged(f"search.faiss names row {rows.max()}, the index has {index.ntotal}; rebuild the index")
    return [found[found >= 0].astype(np.int64) for found in rows]
