"""`publish`: an index folder, copied into a vector database, where other machines search it."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from indexer.commands.options import IndexOptions
from indexer.commands.output import print_lines
from indexer.milvus.address import MilvusAddress, parse_milvus
from model.common.counted import counted
from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.specs import spec

__all__ = ["PublishOptions", "run"]


@spec(kw_only=True)
class PublishOptions(IndexOptions):
    """Which index, where to, and how it is to be searched there."""

    to: Annotated[
        MilvusAddress,
        Option(
            "milvus://HOST:PORT/COLLECTION, or milvus:///PATH.db#COLLECTION for a file of Milvus Lite",
            "ADDRESS",
            parse=parse_milvus,
        ),
    ]
    lists: Annotated[
        Literal["FLAT", "IVF_FLAT", "HNSW", "AUTOINDEX"],
        Option("how the database searches: FLAT compares every vector, the others most of what counts"),
    ] = "FLAT"
    effort: Annotated[
        int | None,
        Ge(1),
        Option("lists that a search visits of IVF_FLAT (default: one of 16), candidates of HNSW (default: 128)", "N"),
    ] = None
    replace: Annotated[bool, Option("put it in the place of what was published under this name")] = False
    quiet: Annotated[bool, Option("no progress")] = False

    def check_together(self) -> None:
        """An effort for what takes one."""
        if self.effort is not None and self.lists not in ("IVF_FLAT", "HNSW"):
            raise BadConfig(f"--effort goes with --lists IVF_FLAT or HNSW; {self.lists} takes none")


def run(options: PublishOptions) -> int:
    """Copy an index into a collection."""
    from indexer.confidence.storage import load_calibrations
    from indexer.index.tile_index import TileIndex
    from indexer.milvus.publish import publish_index, search_way
    from model.common.progress import progress

    index = TileIndex.open(options.index, verify=True, exact=True)
    try:
        way = search_way(options.lists, index.count * index.anchors, options.effort)
        calibrations = load_calibrations(index.folder, index.manifest)
        with progress(index.count, "publishing", unit="tiles", quiet=options.quiet) as bar:
            made = publish_index(
                index,
                options.to,
                way=way,
                calibrations=calibrations,
                replacing=options.replace,
                on_progress=bar.update,
            )
    finally:
        index.close()
    print_lines(
        f"{options.to}: {counted(made.count, 'tile')}, {counted(made.vectors, 'vector')}, searched by {way.kind}"
    )
    if made.recall is not None:
        print_lines(f"it finds {made.recall:.1%} of the ten exact answers to vectors with noise")
    if made.dropped:
        print_lines(f"{counted(made.dropped, 'older version', 'is', 'are')} dropped")
    return 0
