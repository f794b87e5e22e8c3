"""The manifest of a segment: what made it, what it holds, and the digests that prove it whole.

It holds nothing that varies between two builds of the same tiles: no time, no host, no name of the folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from indexer.common.errors import IndexDamaged, IndexVersion, NoSuchIndex
from model.common.atomic_io import canonical_json, parse_json, sha256_bytes, sha256_file, write_json
from model.common.counted import counted
from model.common.geo import Bounds
from model.common.plain_files import read_plain

__all__ = [
    "ASKED_VERSION",
    "BLOCKS",
    "EMBEDDINGS",
    "FORMAT",
    "FORMAT_VERSION",
    "HASHED_AT_ONCE_BYTES",
    "MANIFEST",
    "SEARCH",
    "TILES",
    "TRIED_VERSION",
    "FileEntry",
    "Manifest",
    "SearchRecipe",
    "load_manifest",
]

FORMAT = "clnet-geolocalization index"
FORMAT_VERSION = 3
TRIED_VERSION = 6
"""Of a segment whose lists have coarse codes, and a recall measured by named queries."""
ASKED_VERSION = 7
"""Of a segment, with lists or without, that was asked to be searched otherwise than by default."""
_MEASURED_VERSION = 5
"""The one before: the queries were vectors with noise. Still read; version 4 is that of a list of segments."""
_UNMEASURED = ("kind", "lists", "probes", "candidates")
_WITH_PATH_IN_DIGEST = 2
"""The format before: its digest depended on where the tiles lay, and it knew no digests of blocks. Still read."""
MANIFEST, TILES, EMBEDDINGS, SEARCH = "manifest.json", "tiles.parquet", "embeddings.npy", "search.faiss"
BLOCKS = "embeddings.sha256"
HASHED_AT_ONCE_BYTES = 256 << 20
"""Files up to this size are hashed at every opening; it takes a fraction of a second."""
_READ_BYTES = 4 << 20


@dataclass(frozen=True)
class FileEntry:
    """Size and SHA-256 of one file of the folder."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileEntry:
        """Measure a file."""
        return cls(path.stat().st_size, sha256_file(path))

    def check(self, path: Path, *, hashed: bool = True) -> None:
        """Make sure that a file is the one that was measured.

        Raises:
            IndexDamaged: it is missing or another; without `hashed` only its size is looked at.
        """
        if not path.is_file():
            raise IndexDamaged(f"{path} is missing; restore it or rebuild the index")
        size = path.stat().st_size
        if size != self.size_bytes:
            raise IndexDamaged(f"{path} has {counted(size, 'byte')}, the manifest says {self.size_bytes:,}; rebuild it")
        if hashed:
            self._compare(path, sha256_file(path))

    def steps(self, path: Path) -> Iterator[Callable[[], None]]:
        """The same check of the content in small steps, of which the last compares; none where the file is gone.

        An index that was compacted meanwhile has other files, and this one lives on in those that have it open.
        """
        digest = hashlib.sha256()
        with suppress(FileNotFoundError), path.open("rb") as file:
            while part := file.read(_READ_BYTES):
                yield partial(digest.update, part)
            yield lambda: self._compare(path, digest.hexdigest())

    def _compare(self, path: Path, found: str) -> None:
        if found != self.sha256:
            raise IndexDamaged(f"{path} has SHA-256 {found}, the manifest says {self.sha256}; rebuild the index")


@dataclass(frozen=True)
class SearchRecipe:
    """How to search without a region: "exact" scans every row, "ivf" re-ranks an approximate index's candidates.

    Attributes:
        kind: "exact" or "ivf".
        lists: number of inverted lists, 0 for "exact".
        probes: lists visited by a query.
        candidates: rows re-ranked exactly for each result asked for.
        codes: FAISS's name of the codes in the lists; empty where an earlier version made them, of float16.
        target: share of the ten exact answers that was asked for; 0 where nothing was measured.
        recall: share that was reached.
        curve: (probes, recall) as they were tried.
        trial: how many queries of which kind it was measured by; empty where an earlier version measured it.
        asked: what it was planned by, where that differs from the defaults (`SearchSpec.asked`); earlier versions kept
            nothing of it.
    """

    kind: str = "exact"
    lists: int = 0
    probes: int = 0
    candidates: int = 0
    codes: str = ""
    target: float = 0.0
    recall: float = 0.0
    curve: list[tuple[int, float]] = field(default_factory=list)
    trial: str = ""
    asked: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> SearchRecipe:
        """From the object of a manifest.

        Raises:
            KeyError, TypeError, ValueError: something is missing or of another kind.
        """
        curve = [(int(probes), float(recall)) for probes, recall in content.get("curve", [])]
        return cls(**content | {"curve": curve})


@dataclass(frozen=True)
class Manifest:
    """The manifest's content.

    Attributes:
        encoder: name, digest and numeric family (`numbers`) of the encoder.
        dim: length of a vector.
        anchors: where in a tile its vectors are centred: (east, south) of its centre, in shares of its side.
        count: number of tiles.
        search: how to search without a region.
        source: kind, path and options of the tile source; a relative path starts at the index folder's parent.
        bounds: box around all tiles.
        tile_size_m: median (east-west, north-south) extent of a tile on the ground.
        tiles: how many tiles were listed, embedded, skipped and failed.
        files: the other files of the folder.
        written_by: version of this software.
        blocks: for a file whose blocks have digests, the file that holds them.
        version: of the format.
    """

    encoder: dict[str, str]
    dim: int
    anchors: list[tuple[float, float]]
    count: int
    search: SearchRecipe
    source: dict[str, Any]
    bounds: Bounds
    tile_size_m: tuple[float, float]
    tiles: dict[str, int]
    files: dict[str, FileEntry]
    written_by: str
    blocks: dict[str, str] = field(default_factory=dict)
    version: int = FORMAT_VERSION

    @property
    def digest(self) -> str:
        """SHA-256 of everything above but the place where the tiles lie: the identity of the index."""
        return _digest(self._content())

    def write(self, folder: Path) -> None:
        """Write `manifest.json`, its own digests included."""
        content = self._content() | {"digest": self.digest}
        write_json(folder / MANIFEST, content | {"checksum": sha256_bytes(canonical_json(content))})

    @classmethod
    def read(cls, folder: Path, name: str = MANIFEST) -> Manifest:
        """Read and check a segment's manifest.

        Raises:
            NoSuchIndex: there is no such folder.
            IndexDamaged: missing, not JSON, changed since it was written, or with other keys than expected.
            IndexVersion: of another format version.
        """
        return cls.of_written(folder / name, *load_manifest(folder / name))

    @classmethod
    def of_written(cls, path: Path, content: dict[str, Any], written: bytes) -> Manifest:
        """Check what `load_manifest` found in a segment's manifest.

        Raises:
            IndexDamaged: changed since it was written, or with other keys than expected.
            IndexVersion: of another format version.
        """
        if content.get("format") != FORMAT:
            raise IndexDamaged(f"{path} is not the manifest of an index (its format is {content.get('format')!r})")
        version = content.get("version")
        if version not in (_WITH_PATH_IN_DIGEST, FORMAT_VERSION, _MEASURED_VERSION, TRIED_VERSION, ASKED_VERSION):
            later = isinstance(version, int) and version > ASKED_VERSION
            raise IndexVersion(
                f"{path} has format version {version!r}; this software reads versions {_WITH_PATH_IN_DIGEST} to "
                f"{ASKED_VERSION}. {'Update the software, or rebuild' if later else 'Rebuild'} the index with "
                "`python -m indexer build`"
            )
        _require_unchanged(path, dict(content), written)
        return cls._from_content(content, path)

    def _content(self) -> dict[str, Any]:
        content = {"format": FORMAT, "metric": "inner product", "dtype": "float16"} | (
            asdict(self) | {"bounds": list(self.bounds.as_tuple()), "tile_size_m": list(self.tile_size_m)}
        )
        if self.version == _WITH_PATH_IN_DIGEST:
            del content["blocks"]
        if self.version < _MEASURED_VERSION:
            content["search"] = {key: value for key, value in content["search"].items() if key in _UNMEASURED}
        elif self.version < ASKED_VERSION:
            later = ("asked",) if self.version == TRIED_VERSION else ("asked", "trial")
            content["search"] = {key: value for key, value in content["search"].items() if key not in later}
        return content

    @classmethod
    def _from_content(cls, content: dict[str, Any], path: Path) -> Manifest:
        try:
            values = {one.name: content[one.name] for one in fields(cls) if one.name != "blocks"}
            values["blocks"] = dict(content["blocks"]) if content["version"] > _WITH_PATH_IN_DIGEST else {}
            values["search"] = SearchRecipe.from_json(content["search"])
            values["files"] = {name: FileEntry(**entry) for name, entry in content["files"].items()}
            values["bounds"] = Bounds(*content["bounds"])
            values["anchors"] = [(float(east), float(south)) for east, south in content["anchors"]]
            values["tile_size_m"] = tuple(content["tile_size_m"])
            return cls(**values)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise IndexDamaged(f"{path} lacks or contradicts something: {error!r}; rebuild the index") from error


def _digest(content: dict[str, Any]) -> str:
    if content["version"] > _WITH_PATH_IN_DIGEST and isinstance(content.get("source"), dict):
        content = content | {"source": {key: value for key, value in content["source"].items() if key != "path"}}
    return sha256_bytes(canonical_json(content))


def _require_unchanged(path: Path, content: dict[str, Any], found: bytes) -> None:
    """Make sure that a manifest is byte for byte what was written."""
    written = canonical_json(content)
    checksum = content.pop("checksum", None)
    whole = sha256_bytes(canonical_json(content))
    stated = content.pop("digest", None)
    if stated != _digest(content):
        raise IndexDamaged(f"{path} does not match its own digest {stated}; it was changed, rebuild the index")
    if content["version"] > _WITH_PATH_IN_DIGEST and checksum != whole:
        raise IndexDamaged(f"{path} does not match its own checksum {checksum}; it was changed, rebuild the index")
    if found != written:
        raise IndexDamaged(f"{path} is not byte for byte what was written (cut off at its end?); restore or rebuild it")


def load_manifest(path: Path) -> tuple[dict[str, Any], bytes]:
    """The content of a manifest of either kind, unchecked, and its bytes: both of one moment, whoever replaces it.

    Raises:
        IndexDamaged: it is missing, or no JSON object.
    """
    try:
        data = read_plain(path)
        return parse_json(data), data
    except (FileNotFoundError, NotADirectoryError):
        if not path.parent.exists():
            raise NoSuchIndex(
                f"there is no index folder {path.parent}; give the folder that `indexer build --out` wrote"
            ) from None
        raise IndexDamaged(
            f"{path} is missing; {path.parent} is no index, or not a whole one: "
            "give the folder that `indexer build --out` wrote"
        ) from None
    except (ValueError, IsADirectoryError) as error:
        raise IndexDamaged(f"{path} is not a JSON object ({error}); rebuild the index") from error
