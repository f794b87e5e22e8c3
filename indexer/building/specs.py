"""How a build works."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from annotated_types import Ge, Le

from indexer.common.errors import BadSource
from indexer.index.search_spec import SearchSpec
from model.common.flags import Option
from model.common.processors import available_processors
from model.common.specs import Wanted, spec

__all__ = ["BuildSpec"]


_BESIDE = ("workers", "decode", "max_failed", "search", "trial")
"""What finished shards do not depend on."""


@spec(error=BadSource)
class BuildSpec:
    """How a build works. The same specification on the same tiles and machine gives the same bytes.

    Attributes:
        batch_size: tiles in one call of the encoder.
        shard_tiles: tiles between two points from which a killed build resumes.
        search: what a search without a region may cost.
        workers: threads or processes that decode; None takes one a processor. Does not change the result.
        decode: whether threads or processes decode; auto takes processes where they pay for their start.
        trial: photos by which lists are tuned, as `model.data.sources.open_photos` takes them; None draws panoramas of
            the tiles. Without lists nobody looks at it.
        max_failed: share of the tiles that may be unreadable; with more, no index is published. Does not change it
            either.
        read_whole: notice changes between two runs by all of the content of a large source, too, not by samples of it.
    """

    batch_size: Annotated[int, Ge(1), Option("tiles encoded at once", "N")] = 64
    shard_tiles: Annotated[int, Ge(1)] = 1024
    search: SearchSpec = SearchSpec()
    workers: Annotated[
        int | None, Ge(1), Option("threads or processes that decode (default: one a processor)", "N")
    ] = None
    decode: Annotated[
        Literal["auto", "threads", "processes"],
        Option("what decodes tiles; auto: processes for thousands of tiles, threads for fewer"),
    ] = "auto"
    trial: Annotated[
        str | None,
        Option("photos to tune lists by: CSV or Parquet with the column query (default: panoramas drawn of the tiles)",
               "PAIRS"),
    ] = None  # fmt: skip
    max_failed: Annotated[
        float,
        Ge(0),
        Le(1),
        Wanted("a share in [0, 1]"),
        Option("share of unreadable tiles above which the build fails; its work is kept", "SHARE"),
    ] = 0.1
    read_whole: Annotated[
        bool,
        Option(
            "notice what changed before a build is resumed by all of the content of large sources (default: by "
            "samples above 64 MB); reads every file once more"
        ),
    ] = False

    @property
    def threads(self) -> int:
        """Number of reading threads."""
        return self.workers or available_processors()

    def identity(self) -> dict[str, int]:
        """The part that the shards depend on."""
        return {key: value for key, value in asdict(self).items() if key not in _BESIDE}
