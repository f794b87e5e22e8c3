"""What several commands take."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from indexer.milvus.address import MilvusAddress, index_folder, parse_index
from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.geo import Bounds, LatLon, parse_bounds, parse_given_heading, parse_lat_lon
from model.common.specs import Wanted, spec
from model.network.specs import EncoderOptions

if TYPE_CHECKING:
    from indexer.localization.localizer import Localizer
    from indexer.tiles.region import Region

__all__ = [
    "AnyIndexOptions",
    "AreaOptions",
    "IndexOptions",
    "LocalizerOptions",
    "PhotoOptions",
    "RerankOptions",
    "WhereOptions",
]


@spec(kw_only=True)
class IndexOptions:
    """Which index."""

    index: Annotated[Path, Option("an index folder", "FOLDER", parse=index_folder)]


@spec(kw_only=True)
class AnyIndexOptions:
    """Which index, wherever it lies."""

    index: Annotated[
        Path | MilvusAddress,
        Option("an index folder, or milvus://HOST:PORT/COLLECTION", "FOLDER|ADDRESS", parse=parse_index),
    ]


@spec(kw_only=True)
class WhereOptions:
    """Which area, as far as no point says it."""

    radius_m: Annotated[
        float | None,
        Gt(0),
        Wanted("a positive number of metres"),
        Option("how far around --near, or beside --track, in metres", "M"),
    ] = None
    bbox: Annotated[Bounds | None, Option("only inside this box, in degrees", "W,S,E,N", parse=parse_bounds)] = None
    area: Annotated[Path | None, Option("only inside the polygons of this GeoJSON file", "FILE")] = None
    track: Annotated[Path | None, Option("only within --radius-m of the lines of this GeoJSON file", "FILE")] = None

    def read_area(self) -> Region | None:
        """The area of --bbox, --area or --track.

        Raises:
            BadQuery: a file holds no area, or no track.
        """
        if self.bbox is not None:
            from indexer.tiles.region import BoxRegion

            return BoxRegion(self.bbox)
        if self.area is None and self.track is None:
            return None
        from indexer.tiles.areas import read_area, read_track

        if self.area is not None:
            return read_area(self.area)
        return read_track(self.track, self.radius_m) if self.track and self.radius_m else None

    def check_area(self, near: object) -> None:
        """One area, whole.

        Args:
            near: the point, if there is one.

        Raises:
            BadConfig: there are two, or a radius without its middle, or the other way round.
        """
        named = {"--near": near, "--track": self.track, "--bbox": self.bbox, "--area": self.area}
        given = [name for name, value in named.items() if value is not None]
        if len(given) > 1:
            raise BadConfig(f"{' and '.join(given)} exclude each other; give one of them")
        if (self.radius_m is None) == (given in (["--near"], ["--track"])):
            name = given[0] if given in (["--near"], ["--track"]) else "--near"
            raise BadConfig(f"{name} and --radius-m belong together; give both, or neither")


@spec(kw_only=True)
class AreaOptions(WhereOptions):
    """Which area."""

    near: Annotated[
        LatLon | None, Option("only around this point; needs --radius-m", "LAT,LON", parse=parse_lat_lon)
    ] = None

    def check_together(self) -> None:
        """One area, whole."""
        self.check_area(self.near)

    @property
    def has_area(self) -> bool:
        """Whether there is one."""
        return any(one is not None for one in (self.near, self.bbox, self.area, self.track))

    def region(self) -> Region | None:
        """The area.

        Raises:
            BadQuery: a file holds no area, or no track.
        """
        if self.near is not None and self.radius_m is not None:
            from indexer.tiles.region import CircleRegion

            return CircleRegion(self.near, self.radius_m)
        return self.read_area()


@spec(kw_only=True)
class PhotoOptions(WhereOptions):
    """What is known of a photo, how far to look around a point or in which area, and how many matches to give."""

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


@spec(kw_only=True)
class RerankOptions:
    """Whether the best tiles are looked at again."""

    rerank: Annotated[
        int,
        Ge(0),
        Le(1000),
        Option("look at the N best tiles again, between the anchors of the index; slower, and needs the tiles", "N"),
    ] = 0


@spec(kw_only=True)
class LocalizerOptions(RerankOptions, EncoderOptions, AnyIndexOptions):
    """Which index, which part of it is searched how, and by which encoder."""

    exact: Annotated[bool, Option("compare a photo with every tile, whatever lists the index has")] = False
    since: Annotated[
        datetime.date | None,
        Option("leave out imagery that is older, or has no date", "YYYY-MM-DD", parse=datetime.date.fromisoformat),
    ] = None

    scan_on: Annotated[
        str | None,
        Option(
            "compare a photo with every tile on this device, such as cuda, which takes a copy of the index", "DEVICE"
        ),
    ] = None

    def open_localizer(self) -> Localizer:
        """Open the index and load its encoder.

        Raises:
            GeoLocalizationError: as `Localizer.open`.
        """
        from indexer.localization.localizer import Localizer

        return Localizer.open(
            self.index,
            checkpoint=self.checkpoint,
            device=self.device,
            engine=self.engine,
            rerank=self.rerank,
            exact=self.exact,
            since=self.since,
            scan_on=self.scan_on,
        )
