"""`manifest.json` of an index: which segments it is made of, and which of their rows have been removed.

An index that nothing was added to or removed from is one segment, and its manifest is that of the segment. The first
change puts a list of segments in its place and keeps the first manifest as `segment.json`; the list is replaced as a
whole and the segments never change, so a reader sees the index before a change or after it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.common.errors import IndexDamaged
from indexer.index.manifest import FORMAT, MANIFEST, FileEntry, Manifest, load_manifest
from indexer.tiles.tile_table import narrowest_span
from model.common.atomic_io import canonical_json, sha256_bytes, staged_file, sync_folder, write_json
from model.common.counted import counted
from model.common.geo import Bounds

__all__ = ["FIRST_SEGMENT", "LIST_VERSION", "SEGMENTS", "IndexManifest", "Removed", "SegmentEntry", "joined_bounds"]

LIST_VERSION = 4
"""Format version of a list of segments."""
SEGMENTS = "segments"
"""Folder, in an index, of all segments but the first, and of the files that tell which rows were removed."""
FIRST_SEGMENT = "segment.json"
"""Manifest of the segment that lies in the index folder itself, once a list has taken its place."""
_SHORT = 16


@dataclass(frozen=True)
class Removed:
    """Rows of a segment that are no longer part of the index: a file of bits, eight rows a byte from the highest.

    Attributes:
        file: its path from the index folder.
        count: how many rows.
        entry: size and digest of the file.
    """

    file: str
    count: int
    entry: FileEntry

    @classmethod
    def write(cls, folder: Path, rows: NDArray[np.bool_]) -> Removed | None:
        """Store a mask of rows in an index folder; None where it marks none."""
        if not rows.any():
            return None
        data = np.packbits(rows).tobytes()
        digest = sha256_bytes(data)
        path = folder / SEGMENTS / f"removed-{digest[:_SHORT]}.bits"
        path.parent.mkdir(exist_ok=True)
        with staged_file(path) as staged:
            staged.write_bytes(data)
        return cls(path.relative_to(folder).as_posix(), int(rows.sum()), FileEntry(len(data), digest))

    def read(self, folder: Path, count: int) -> NDArray[np.bool_]:
        """bool [count], which rows are removed.

        Raises:
            IndexDamaged: the file is missing, changed or of another number of rows.
        """
        self.entry.check(folder / self.file)
        bits = np.unpackbits(np.fromfile(folder / self.file, np.uint8))
        rows: NDArray[np.bool_] = bits[:count].astype(np.bool_)
        if len(bits) != -(-count // 8) * 8 or int(rows.sum()) != self.count:
            raise IndexDamaged(
                f"{folder / self.file} does not fit a segment of {counted(count, 'row')}; restore the index"
            )
        return rows


@dataclass(frozen=True)
class SegmentEntry:
    """One segment of an index.

    Attributes:
        manifest: path of its manifest from the index folder; its files lie beside it.
        digest: its identity.
        rows: number of rows, those removed included.
        removed: which are removed, or None.
    """

    manifest: str
    digest: str
    rows: int
    removed: Removed | None = None

    @property
    def count(self) -> int:
        """Number of tiles that are left."""
        return self.rows - (self.removed.count if self.removed else 0)


@dataclass(frozen=True)
class IndexManifest:
    """What an index is made of.

    Attributes:
        encoder: name and digest of the encoder.
        dim: length of a vector.
        anchors: where in a tile its vectors are centred: (east, south) of its centre, in shares of its side.
        bounds: box around all tiles; one that was there before a removal until the index is compacted.
        tile_size_m: median (east-west, north-south) extent of a tile on the ground, of the largest segment.
        segments: in the order of their rows.
        digest: identity of the content; compacting keeps it, adding and removing do not.
        written_by: version of the software.
    """

    encoder: dict[str, str]
    dim: int
    anchors: list[tuple[float, float]]
    bounds: Bounds
    tile_size_m: tuple[float, float]
    segments: tuple[SegmentEntry, ...]
    digest: str
    written_by: str

    @property
    def count(self) -> int:
        """Number of tiles."""
        return sum(segment.count for segment in self.segments)

    @classmethod
    def read(cls, folder: Path) -> IndexManifest:
        """Read and check `manifest.json`, be it a list or that of the only segment.

        Raises:
            IndexDamaged: missing, not JSON, changed since it was written, or with other keys than expected.
            IndexVersion: of another format version.
        """
        path = folder / MANIFEST
        content, written = load_manifest(path)
        if content.get("format") == FORMAT and content.get("version") == LIST_VERSION and "segments" in content:
            return cls._from_content(content, path, written)
        only = Manifest.of_written(path, content, written)
        _refuse_exchanged(folder, written)
        return cls.of_segments({MANIFEST: only})

    @classmethod
    def of_segments(
        cls,
        segments: dict[str, Manifest],
        removed: dict[str, Removed] | None = None,
        *,
        digest: str = "",
    ) -> IndexManifest:
        """From the manifests of segments, by path from the index folder.

        Args:
            segments: in the order of their rows, at least one.
            removed: rows that are left out, by the same paths.
            digest: of the content, where it is known; else it follows from the segments.
        """
        marks = removed or {}
        entries = tuple(SegmentEntry(path, one.digest, one.count, marks.get(path)) for path, one in segments.items())
        first = next(iter(segments.values()))
        largest = max(segments.values(), key=lambda one: one.count)
        return cls(
            encoder=first.encoder,
            dim=first.dim,
            anchors=first.anchors,
            bounds=joined_bounds([one.bounds for one in segments.values()]),
            tile_size_m=largest.tile_size_m,
            segments=entries,
            digest=digest or _digest(entries),
            written_by=largest.written_by,
        )

    def write(self, folder: Path) -> None:
        """Put it in the place of the index's manifest, in one step."""
        values = asdict(self) | {"bounds": list(self.bounds.as_tuple()), "tile_size_m": list(self.tile_size_m)}
        content = {"format": FORMAT, "version": LIST_VERSION, "count": self.count} | values
        write_json(folder / MANIFEST, content | {"checksum": sha256_bytes(canonical_json(content))})
        sync_folder(folder)

    @classmethod
    def _from_content(cls, content: dict[str, Any], path: Path, found: bytes) -> IndexManifest:
        written = canonical_json(content)
        checksum = content.pop("checksum", None)
        if checksum != sha256_bytes(canonical_json(content)) or found != written:
            raise IndexDamaged(f"{path} is not byte for byte what was written; restore it or rebuild the index")
        try:
            values = {one.name: content[one.name] for one in fields(cls)}
            values["bounds"] = Bounds(*content["bounds"])
            values["anchors"] = [(float(east), float(south)) for east, south in content["anchors"]]
            values["tile_size_m"] = tuple(content["tile_size_m"])
            values["segments"] = tuple(_entry(one) for one in content["segments"])
            return cls(**values)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise IndexDamaged(f"{path} lacks or contradicts something: {error!r}; rebuild the index") from error


def joined_bounds(boxes: list[Bounds]) -> Bounds:
    """The box around boxes."""
    edges = np.array([box.as_tuple() for box in boxes])
    west, east = narrowest_span(edges[:, 0], edges[:, 2])
    return Bounds(west, float(edges[:, 1].min()), east, float(edges[:, 3].max()))


def _refuse_exchanged(folder: Path, written: bytes) -> None:
    """A first segment's manifest is kept beside the list as it was, so another there means that the list is elsewhere.

    Raises:
        IndexDamaged: files have been exchanged.
    """
    kept = folder / FIRST_SEGMENT
    if kept.is_file() and kept.read_bytes() != written:
        raise IndexDamaged(
            f"{folder / MANIFEST} is that of one segment, and {kept} is not its copy: files of the index have been "
            "exchanged; restore it or rebuild it"
        )


def _entry(values: dict[str, Any]) -> SegmentEntry:
    removed = values["removed"]
    if removed is not None:
        removed = Removed(removed["file"], removed["count"], FileEntry(**removed["entry"]))
    return SegmentEntry(values["manifest"], values["digest"], values["rows"], removed)


def _digest(entries: tuple[SegmentEntry, ...]) -> str:
    """That of the only segment, where it is whole."""
    if len(entries) == 1 and entries[0].removed is None:
        return entries[0].digest
    parts = [[entry.digest, entry.removed.entry.sha256 if entry.removed else ""] for entry in entries]
    return sha256_bytes(canonical_json(parts))
