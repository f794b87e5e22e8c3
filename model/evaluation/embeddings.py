"""Stored embeddings: a data set embedded once, to be scored again by other rules without its pictures or the network.

A folder with `references.npy` [R, A * D] (A anchors of each) and `queries.npy` [Q, C, D] (C copies where the heading
was searched), the angles of each query in `asked.parquet`, what is right in `queries.parquet` and `references.parquet`,
and `embeddings.json`: what was embedded, by what, and the digest of every file. Vectors are read through memory maps, a
block at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.common.atomic_io import read_json, sha256_file, staged_folder, write_json
from model.common.errors import BadStore
from model.common.progress import progress
from model.evaluation.ground_truth import GroundTruth
from model.evaluation.metrics import Scoring
from model.evaluation.ranking import EmbeddedQueries, queries_at_once, rank_queries
from model.evaluation.results import Evaluation

__all__ = ["PRECISIONS", "Embeddings", "open_embeddings", "write_embeddings"]

PRECISIONS = ("float32", "float16")
"""How numbers may be stored; the second takes half the space and moves scores by some 0.0001."""

_FORMAT = 1
_ABOUT = "embeddings.json"
_VECTORS = ("references.npy", "queries.npy")
_TABLES = ("references.parquet", "queries.parquet", "asked.parquet")

_SPHERE = ("lat", "lon")
_PLANE = ("x_m", "y_m")

_Vectors = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Embeddings:
    """Opened embeddings.

    Attributes:
        about: the content of `embeddings.json`: `checkpoint` (name, digest, trained_on), `data`, `asked`, `precision`.
        truth: what is right for each query of the data set.
        references: [R, A * D], unit vectors of each one's A anchors, memory-mapped.
        queries: all queries asked; their vectors [Q, C, D] are memory-mapped.
    """

    about: Mapping[str, Any]
    truth: GroundTruth
    references: _Vectors
    queries: EmbeddedQueries

    def blocks(self) -> Iterator[EmbeddedQueries]:
        """The queries in blocks of bounded size."""
        whole = self.queries
        _, copies, dim = whole.vectors.shape
        step = queries_at_once(max(len(self.references), copies * dim))
        for start in range(0, len(whole.numbers), step):
            part = slice(start, start + step)
            yield EmbeddedQueries(
                whole.numbers[part],
                whole.vectors[part],
                whole.headings_deg[part],
                whole.view_deg[part],
                whole.true_deg[part],
            )

    def evaluate(self, scoring: Scoring) -> Evaluation:
        """Rank all queries by these rules.

        Raises:
            BadConfig: recall within a radius is asked for, and a coordinate is not known.
        """
        with progress(len(self.queries.numbers), "scoring", unit="queries") as bar:
            query_results = rank_queries(_counted(self.blocks(), bar), self.references, self.truth, scoring)
        asked = {**self.about["asked"], "vectors": self.about["precision"]}
        return Evaluation.of(query_results, self.truth, scoring, asked)


def write_embeddings(
    folder: Path,
    about: Mapping[str, Any],
    truth: GroundTruth,
    gallery: Iterable[NDArray[np.float32]],
    ask: Callable[[_Vectors], Iterable[EmbeddedQueries]],
    *,
    precision: str = "float32",
) -> None:
    """Write a new folder, whole or not at all; nothing but a batch is held in memory.

    Args:
        folder: to be made.
        about: `checkpoint` and `asked`, for those who open it.
        truth: what is right for each query of the data set.
        gallery: batches of [B, A * D], all references in order.
        ask: the stored gallery [R, A * D] -> the queries to store, at least one.
        precision: one of `PRECISIONS`.

    Raises:
        OutputExists: the folder is there already.
    """
    small: list[EmbeddedQueries] = []

    def vectors(blocks: Iterable[EmbeddedQueries]) -> Iterator[NDArray[np.float32]]:
        for block in blocks:
            none = block.vectors[:, :0, :0]
            small.append(EmbeddedQueries(block.numbers, none, block.headings_deg, block.view_deg, block.true_deg))
            yield np.asarray(block.vectors, np.float32)

    with staged_folder(folder) as staged:
        references, queries = (staged / name for name in _VECTORS)
        _write_array(references, gallery, precision)
        _write_array(queries, vectors(ask(np.load(references, mmap_mode="r"))), precision)
        _write_truth(staged, truth)
        _write_asked(staged, small)
        files = {name: sha256_file(staged / name) for name in (*_VECTORS, *_TABLES)}
        write_json(
            staged / _ABOUT, {"format": _FORMAT, **about, "data": truth.data, "precision": precision, "files": files}
        )


def open_embeddings(folder: Path) -> Embeddings:
    """Open a folder and check every file's digest.

    Raises:
        BadStore: not such a folder, of another format, or a file is missing or changed.
    """
    about = _read_about(folder)
    for name, digest in about["files"].items():
        if not (folder / name).is_file() or sha256_file(folder / name) != digest:
            raise BadStore(f"{folder / name} is missing or has changed since it was written; embed again with --store")
    truth = _read_truth(folder, about["data"])
    asked, references = _read_asked(folder), np.load(folder / _VECTORS[0], mmap_mode="r")
    if len(references) != len(truth.tiles) or len(asked.vectors) != len(asked.numbers):
        raise BadStore(
            f"{folder} holds vectors {references.shape} and {asked.vectors.shape} for {len(truth.tiles)} references "
            f"and {len(asked.numbers)} queries; embed again with --store"
        )
    return Embeddings(about, truth, references, asked)


def _counted(blocks: Iterable[EmbeddedQueries], bar: Any) -> Iterator[EmbeddedQueries]:
    for block in blocks:
        yield block
        bar.update(len(block.numbers))


def _write_array(path: Path, parts: Iterable[NDArray[np.float32]], precision: str) -> None:
    """Append parts along their first axis to an array file, whose header is written again once their number is known.

    Writing, unlike a memory map, answers a full disk with an error.
    """
    count, shape = 0, (0,)
    with path.open("wb") as file:
        for part in parts:
            if not count:
                _write_header(file, (0, *part.shape[1:]), precision)
            count, shape = count + len(part), part.shape
            file.write(np.ascontiguousarray(part, precision).data)
        file.seek(0)
        _write_header(file, (count, *shape[1:]), precision)


def _write_header(file: Any, shape: tuple[int, ...], precision: str) -> None:
    descr = np.lib.format.dtype_to_descr(np.dtype(precision))
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})


def _read_about(folder: Path) -> dict[str, Any]:
    path = folder / _ABOUT
    try:
        about = read_json(path)
    except (OSError, ValueError) as error:
        raise BadStore(
            f"{folder} holds no embeddings ({path.name}: {error}); give a folder that `evaluate --store` wrote"
        ) from error
    if (found := about.get("format")) != _FORMAT:
        raise BadStore(f"{path} has the format {found!r}; this version reads {_FORMAT}: embed again with --store")
    if missing := {"checkpoint", "data", "asked", "precision", "files"} - set(about):
        raise BadStore(f"{path} lacks {', '.join(sorted(missing))}; embed again with --store")
    return about


def _write_truth(folder: Path, truth: GroundTruth) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = pa.list_(pa.int64())
    queries = {"picture": list(truth.pictures), **_coordinates(truth.places, truth.places_m)}
    queries["positives"] = pa.array(truth.positives, rows)
    if truth.semi_positives:
        queries["semi_positives"] = pa.array(truth.semi_positives, rows)
    references = {"picture": list(truth.tiles), **_coordinates(truth.centres, truth.centres_m)}
    for name, columns in zip(_TABLES, (references, queries), strict=False):
        parquet.write_table(pa.table(columns), folder / name)


def _coordinates(degrees: NDArray[np.float64], metres: NDArray[np.float64] | None) -> dict[str, Any]:
    """Columns of latitudes and longitudes, empty where unknown, and of the places on a plane where there is one."""
    import pyarrow as pa

    on_plane = {} if metres is None else dict(zip(_PLANE, metres.T, strict=True))
    columns = {**dict(zip(_SPHERE, degrees.T, strict=True)), **on_plane}
    return {name: pa.array(values, mask=np.isnan(values)) for name, values in columns.items()}


def _read_truth(folder: Path, data: str) -> GroundTruth:
    from pyarrow import parquet

    references, queries = (parquet.read_table(folder / name) for name in _TABLES[:2])
    known = "semi_positives" in queries.column_names
    return GroundTruth(
        data,
        tuple(queries["picture"].to_pylist()),
        tuple(references["picture"].to_pylist()),
        _lists(queries["positives"]),
        _lists(queries["semi_positives"]) if known else (),
        _places(queries, _SPHERE),
        _places(references, _SPHERE),
        _places(queries, _PLANE) if _PLANE[0] in queries.column_names else None,
        _places(references, _PLANE) if _PLANE[0] in references.column_names else None,
    )


def _places(table: Any, names: tuple[str, str]) -> NDArray[np.float64]:
    return np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float64)


def _lists(column: Any) -> tuple[NDArray[np.int64], ...]:
    """A column of lists as arrays."""
    lists = column.combine_chunks()
    return tuple(np.split(lists.flatten().to_numpy(), lists.offsets.to_numpy()[1:-1]))


def _write_asked(folder: Path, blocks: list[EmbeddedQueries]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {
        "number": np.concatenate([block.numbers for block in blocks]),
        "view_deg": np.concatenate([block.view_deg for block in blocks]),
        "true_deg": np.concatenate([block.true_deg for block in blocks]),
        "headings_deg": pa.array([row for block in blocks for row in block.headings_deg], pa.list_(pa.float64())),
    }
    parquet.write_table(pa.table(columns), folder / _TABLES[2])


def _read_asked(folder: Path) -> EmbeddedQueries:
    from pyarrow import parquet

    table = parquet.read_table(folder / _TABLES[2])
    numbers, view_deg, true_deg = (table[name].to_numpy() for name in ("number", "view_deg", "true_deg"))
    headings_deg = table["headings_deg"].combine_chunks().flatten().to_numpy().reshape(len(table), -1)
    return EmbeddedQueries(numbers, np.load(folder / _VECTORS[1], mmap_mode="r"), headings_deg, view_deg, true_deg)
