"""Other libraries' nearest neighbours behind one small interface, for `benchmarks.bench_beside`.

Each is built from float32 vectors, written to disk, opened again, and has one knob that trades time for recall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.common.optional import load_faiss

__all__ = ["RIVALS", "Rival", "open_rival"]

_CHUNK = 65_536
_M, _EF_BUILD = 16, 200
"""Links of a node and width of the search while a graph is built: what hnswlib's own examples take."""

_WIDTHS = tuple(1 << power for power in range(4, 13))

_Floats = NDArray[np.float32]
_Half = NDArray[np.float16]


class Rival(Protocol):
    """A library's index."""

    knobs: Sequence[int]

    def build(self, vectors: _Half, path: Path) -> None:
        """Build and write to disk."""

    def open(self, path: Path, count: int, dim: int) -> None:
        """Open what was written."""

    def search(self, query: _Floats, top_k: int, knob: int) -> NDArray[np.int64]:
        """Rows of the best for one query [D], found at one setting of the knob."""


@dataclass
class Faiss:
    """Plain FAISS, by its factory's name; the knob is `nprobe`, or `efSearch` of a graph."""

    factory: str

    def __post_init__(self) -> None:
        self.graph = self.factory.startswith("HNSW")
        self.knobs: Sequence[int] = [1 << power for power in range(4 if self.graph else 0, 13)]

    def build(self, vectors: _Half, path: Path) -> None:
        """Train on 64 vectors a list, as ours does, and add all."""
        faiss = load_faiss()
        count, dim = vectors.shape
        lists = max(1, round(4 * np.sqrt(count)))
        index: Any = faiss.index_factory(dim, self.factory.format(lists=lists), faiss.METRIC_INNER_PRODUCT)
        if self.graph:
            index.hnsw.efConstruction = _EF_BUILD
        sample = np.linspace(0, count - 1, min(count, 64 * lists)).astype(np.int64)
        index.train(vectors[sample].astype(np.float32))
        for at in range(0, count, _CHUNK):
            index.add(vectors[at : at + _CHUNK].astype(np.float32))
        faiss.write_index(index, str(path))

    def open(self, path: Path, count: int, dim: int) -> None:
        """Into memory."""
        faiss = load_faiss()
        self.index: Any = faiss.read_index(str(path))
        assert (self.index.ntotal, self.index.d) == (count, dim)

    def search(self, query: _Floats, top_k: int, knob: int) -> NDArray[np.int64]:
        """On one thread, as FAISS takes one query."""
        faiss = load_faiss()
        if self.graph:
            how = faiss.SearchParametersHNSW(efSearch=max(knob, top_k))
        else:
            how = faiss.SearchParametersIVF(nprobe=min(knob, self.index.nlist))
        rows: NDArray[np.int64] = self.index.search(query[None], top_k, params=how)[1][0]
        return rows


class Hnswlib:
    """hnswlib; the knob is `ef`."""

    knobs: Sequence[int] = _WIDTHS

    def build(self, vectors: _Half, path: Path) -> None:
        """A graph of float32 vectors, on all processors."""
        import hnswlib

        count, dim = vectors.shape
        index = hnswlib.Index(space="ip", dim=dim)
        index.init_index(max_elements=count, M=_M, ef_construction=_EF_BUILD)
        for at in range(0, count, _CHUNK):
            part = vectors[at : at + _CHUNK].astype(np.float32)
            index.add_items(part, np.arange(at, at + len(part)))
        index.save_index(str(path))

    def open(self, path: Path, count: int, dim: int) -> None:
        """Into memory."""
        import hnswlib

        self.index: Any = hnswlib.Index(space="ip", dim=dim)
        self.index.load_index(str(path), max_elements=count)

    def search(self, query: _Floats, top_k: int, knob: int) -> NDArray[np.int64]:
        """At one width of the search."""
        self.index.set_ef(max(knob, top_k))
        rows, _ = self.index.knn_query(query[None], k=top_k, num_threads=1)
        return np.asarray(rows[0], np.int64)


class Usearch:
    """usearch with float16 vectors; the knob is `expansion_search`."""

    knobs: Sequence[int] = _WIDTHS

    def build(self, vectors: _Half, path: Path) -> None:
        """A graph of float16 vectors, on all processors."""
        from usearch.index import Index

        index = Index(ndim=vectors.shape[1], metric="ip", dtype="f16", connectivity=_M, expansion_add=_EF_BUILD)
        for at in range(0, len(vectors), _CHUNK):
            part = vectors[at : at + _CHUNK]
            index.add(np.arange(at, at + len(part)), part)
        index.save(str(path))

    def open(self, path: Path, count: int, dim: int) -> None:
        """Memory-mapped, which it can."""
        from usearch.index import Index

        self.index: Any = Index.restore(str(path), view=True)
        assert self.index is not None
        assert (len(self.index), self.index.ndim) == (count, dim)

    def search(self, query: _Floats, top_k: int, knob: int) -> NDArray[np.int64]:
        """At one width of the search."""
        self.index.expansion_search = max(knob, top_k)
        return np.asarray(self.index.search(query.astype(np.float16), top_k, threads=1).keys, np.int64)


RIVALS = ("faiss-ivf", "faiss-ivf-sq8", "faiss-hnsw", "hnswlib", "usearch")


def open_rival(name: str) -> Rival:
    """One of `RIVALS`."""
    if name == "hnswlib":
        return Hnswlib()
    if name == "usearch":
        return Usearch()
    return Faiss({"faiss-ivf": "IVF{lists},Flat", "faiss-ivf-sq8": "IVF{lists},SQ8", "faiss-hnsw": f"HNSW{_M}"}[name])
