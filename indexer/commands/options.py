"""What several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from model.common.flags import Option
from model.common.geo import Bounds, parse_bounds, parse_given_heading
from model.common.specs import Wanted, spec

__all__ = ["IndexOptions", "PhotoOptions", "RerankOptions"]


@spec(kw_only=True)
class IndexOptions:
    """Which index."""

    index: Annotated[Path, Option("an index folder", "FOLDER")]


@spec(kw_only=True)
class PhotoOptions:
    """What is known of a photo, how far to look around a point or in which box, and how many matches to give."""

    top_k: Annotated[int, Ge(1), Option("number of matches of a photo", "K")] = 5
    heading_deg: Annotated[
        float | Literal["unknown"] | None,
        Option(
            "where a photo's centre looks, clockwise from north; unknown: try all headings (default: as the photo says "
            "of itself, else unknown)",
            "DEG|unknown",
            parse=parse_given_heading,
        ),
    ] = None
    fov_deg: Annotated[
        float | None,
        Gt(0),
        Le(360),
        Wanted("the horizontal angle of the photo in (0, 360] degrees"),
        Option("horizontal angle (default: as the photo says of itself, else 360 for a 2:1 picture)", "DEG"),
    ] = None
    radius_m: Annotated[
        float | None, Gt(0), Wanted("a positive number of metres"), Option("how far around --near, in metres", "M")
    ] = None
    bbox: Annotated[Bounds | None, Option("look only inside this box, in degrees", "W,S,E,N", parse=parse_bounds)] = (
        None
    )


@spec(kw_only=True)
class RerankOptions:
    """Whether the best tiles are looked at again."""

    rerank: Annotated[
        int,
        Ge(0),
        Le(1000),
        Option("look at the N best tiles again, between the anchors of the index; slower, and needs the tiles", "N"),
    ] = 0
