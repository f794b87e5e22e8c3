"""Whether, and how, sources that are addresses are fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import Gt, Le

from indexer.common.errors import BadSource
from model.common.flags import Option
from model.common.specs import Wanted, spec

__all__ = ["RemoteOptions", "is_address", "is_readable"]


def is_address(text: str) -> bool:
    """Whether a source's name is an address rather than a path."""
    return "://" in text


def is_readable(text: str) -> bool:
    """Whether an address is of a kind that is fetched."""
    return text.startswith(("http://", "https://", "s3://"))


@spec(error=BadSource)
class RemoteOptions:
    """Whether, and how, sources that are addresses are fetched.

    Attributes:
        remote: allow them.
        attribution: whom the imagery belongs to, as its licence wants it said; kept with the index.
        rate_limit: most requests a second; GDAL's own range requests to rasters are not counted.
        cache: folder in which fetched tiles are kept; None keeps none.
    """

    remote: Annotated[
        bool, Option("allow a source that is an address (http, https, s3): its tiles are fetched over the network")
    ] = False
    attribution: Annotated[
        str, Option("whom the imagery of an address belongs to, as its licence wants it said", "TEXT")
    ] = ""
    rate_limit: Annotated[
        float,
        Gt(0),
        Le(1000),
        Wanted("requests a second, above 0 up to 1000"),
        Option("most requests a second to an address", "N"),
    ] = 10.0
    cache: Annotated[Path | None, Option("folder in which fetched tiles are kept for the next run", "FOLDER")] = None

    def require(self, address: str) -> None:
        """Make sure that an address may be fetched.

        Raises:
            BadSource: it may not, or nobody is named as its owner, or it is of another kind.
        """
        if not is_readable(address):
            raise BadSource(f"{address} is no address of http, https or s3; give such a one, or a path")
        if not self.remote:
            raise BadSource(
                f"{address} is an address; nothing is fetched unless that is allowed: add --remote, after reading its "
                "terms of use, or download the tiles first"
            )
        if not self.attribution.strip():
            raise BadSource(
                f"{address} is somebody's; say whose with --attribution, as the licence wants it said: it is kept with "
                "the index"
            )
