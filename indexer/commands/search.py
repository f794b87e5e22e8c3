"""`search`: the tiles that look most like a photo, and where it was taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from indexer.commands.options import IndexOptions, PhotoOptions
from indexer.commands.output import print_json, print_lines
from indexer.tiles.region import BoxRegion, CircleRegion, Region
from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.geo import LatLon, parse_lat_lon
from model.common.specs import spec
from model.network.specs import EncoderOptions

if TYPE_CHECKING:
    from indexer.index.tile_index import TileIndex
    from indexer.localization.answer import Localization
    from indexer.localization.position import Position

__all__ = ["SearchOptions", "run"]


@spec(kw_only=True)
class SearchOptions(PhotoOptions, EncoderOptions, IndexOptions):
    """Which photo, what is known of it, where to look, and in what form to answer."""

    image: Annotated[Path, Option("JPEG, PNG, WebP, TIFF, AVIF or HEIC; best a 360 degree panorama", "PHOTO")]
    near: Annotated[
        LatLon | None, Option("look only around this point; needs --radius-m", "LAT,LON", parse=parse_lat_lon)
    ] = None
    json: Annotated[bool, Option("print one JSON object")] = False
    geojson: Annotated[bool, Option("print an RFC 7946 FeatureCollection")] = False

    def check_together(self) -> None:
        """One area, whole, and one form of output."""
        if (self.near is None) != (self.radius_m is None):
            raise BadConfig("--near and --radius-m belong together; give both, or neither")
        if self.near is not None and self.bbox is not None:
            raise BadConfig("--near and --bbox exclude each other; give one of them")
        if self.json and self.geojson:
            raise BadConfig("--json and --geojson exclude each other; give one of them")


def run(options: SearchOptions) -> int:
    """Find the tiles most like a photo."""
    from indexer.localization.geojson import match_features
    from indexer.localization.localizer import Localizer
    from model.inputs.photo_view import GivenView

    given = GivenView(heading_deg=options.heading_deg, fov_deg=options.fov_deg)
    localizer = Localizer.open(
        options.index, checkpoint=options.checkpoint, device=options.device, engine=options.engine
    )
    index, found = (
        localizer.index,
        localizer.localize(options.image, given, region=_region(options), top_k=options.top_k),
    )
    if options.geojson:
        print_json(match_features(found))
    elif options.json:
        print_json(_as_json(index, found))
    else:
        _print_table(found)
    return 0


def _region(options: SearchOptions) -> Region | None:
    if options.bbox is not None:
        return BoxRegion(options.bbox)
    if options.near is None or options.radius_m is None:
        return None
    return CircleRegion(options.near, options.radius_m)


def _as_json(index: TileIndex, found: Localization) -> dict[str, Any]:
    return found.as_json() | {"index": {"name": index.name, "tiles": index.count, "digest": index.digest}}


def _print_table(found: Localization) -> None:
    print_lines(f"{'rank':>4}  {'score':>7}  {'heading':>7}  {'lat':>11}  {'lon':>12}  tile")
    for match in found.matches:
        place = f"{match.tile.lat:11.6f}  {match.tile.lon:12.6f}"
        print_lines(f"{match.rank:4}  {match.score:7.4f}  {match.heading_deg:7.1f}  {place}  {match.tile.tile_id}")
    print_lines(f"{found.scanned:,} tiles compared, {'exact' if found.exact else 'approximate'}")
    print_lines(_estimate_line(found.position))
    print_lines(*(f"warning: {warning}" for warning in found.warnings))


def _estimate_line(position: Position) -> str:
    place = f"{position.centre.lat:.6f}, {position.centre.lon:.6f}"
    if position.confidence is None:
        return f"confidence unknown ({position.no_confidence_because}); best guess {place}"
    within = f"within {position.confidence_radius_m:g} m with a probability of {position.confidence:.2f}"
    return f"estimate {place}: {within}"
