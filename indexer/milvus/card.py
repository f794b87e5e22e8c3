"""What a collection says of itself: the index that it was made of, kept among the collection's properties.

It is written last, so a collection that has none is not whole. Milvus keeps properties as texts.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from indexer.common.errors import IndexDamaged, IndexVersion
from model.common.atomic_io import canonical_json, sha256_bytes
from model.common.geo import Bounds

__all__ = ["CARD", "IndexCard", "SearchWay"]

CARD = "clnet.index"
"""The property that holds it."""
FORMAT_VERSION = 1


@dataclass(frozen=True)
class SearchWay:
    """How the database looks for vectors.

    Attributes:
        kind: FLAT compares all; IVF_FLAT visits some lists; HNSW follows a graph; AUTOINDEX is the server's own.
        build: parameters that it was made with, by Milvus's names: `nlist`; `M`, `efConstruction`.
        effort: lists that a search visits, or candidates that it keeps on the graph; 0 where nothing can be chosen.
    """

    kind: str = "FLAT"
    build: dict[str, int] | None = None
    effort: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether every vector is compared."""
        return self.kind == "FLAT"

    def exhaustive(self) -> SearchWay | None:
        """The same with every vector compared; None where the database cannot."""
        if self.kind == "IVF_FLAT":
            return SearchWay(self.kind, self.build, (self.build or {})["nlist"])
        return self if self.is_exact else None

    def params(self, limit: int) -> dict[str, Any]:
        """What a search for so many vectors gives the database."""
        if self.kind == "IVF_FLAT":
            return {"metric_type": "IP", "params": {"nprobe": self.effort}}
        if self.kind == "HNSW":
            return {"metric_type": "IP", "params": {"ef": max(self.effort, limit)}}
        return {"metric_type": "IP", "params": {}}


@dataclass(frozen=True)
class IndexCard:
    """What is known of the index that a collection was made of.

    Attributes:
        name: of its folder.
        digest: identity of its content.
        encoder: name, digest and numeric family of the encoder.
        dim: length of a vector.
        anchors: where in a tile its vectors are centred: (east, south) of its centre, in shares of its side.
        count: number of tiles.
        bounds: box around them.
        tile_size_m: median (east-west, north-south) extent of a tile on the ground.
        crossing: whether a tile lies over the antimeridian.
        dates: of the imagery, ascending; "no date" for what has none.
        zooms: of the tiles that lie on the grid, ascending.
        search: how it is searched.
        recall: share of the ten exact answers that the search finds, on vectors with noise; None where all are.
        calibrations: those of the index, as objects of JSON.
        written_by: version of the software.
    """

    name: str
    digest: str
    encoder: dict[str, str]
    dim: int
    anchors: list[tuple[float, float]]
    count: int
    bounds: Bounds
    tile_size_m: tuple[float, float]
    crossing: bool
    dates: list[str]
    zooms: list[int]
    search: SearchWay
    recall: float | None
    calibrations: list[dict[str, Any]]
    written_by: str

    def as_text(self) -> str:
        """One line of JSON that holds its own digest."""
        content = asdict(self) | {"bounds": list(self.bounds.as_tuple()), "version": FORMAT_VERSION}
        content = json.loads(json.dumps(content))
        return json.dumps(content | {"checksum": _checksum(content)}, sort_keys=True)

    @classmethod
    def from_text(cls, text: str, where: str) -> IndexCard:
        """The reverse of `as_text`.

        Raises:
            IndexDamaged: it is something else, or was changed.
            IndexVersion: another version of the software wrote it.
        """
        try:
            content = json.loads(text)
            stated, version = content.pop("checksum"), content["version"]
            if version != FORMAT_VERSION:
                raise IndexVersion(
                    f"{where} was published in version {version!r}; this software reads version {FORMAT_VERSION}. "
                    "Update it, or publish the index again"
                )
            if stated != _checksum(content):
                raise ValueError("it does not match its own checksum")
            values = {one.name: content[one.name] for one in fields(cls)}
            values["bounds"] = Bounds(*content["bounds"])
            values["anchors"] = [(float(east), float(south)) for east, south in content["anchors"]]
            values["tile_size_m"] = tuple(content["tile_size_m"])
            values["search"] = SearchWay(**content["search"])
            return cls(**values)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, IndexVersion):
                raise
            raise IndexDamaged(f"{where} says of itself what cannot be: {error!r}; publish the index again") from error


def _checksum(content: dict[str, Any]) -> str:
    return sha256_bytes(canonical_json(content))
