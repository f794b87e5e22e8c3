"""`search`: the tiles that look most like a photo, and where it was taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from indexer.commands.options import AreaOptions, LocalizerOptions, PhotoOptions
from indexer.commands.output import print_json, print_lines
from model.common.counted import counted
from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.specs import spec

if TYPE_CHECKING:
    from indexer.index.searchable import SearchableIndex
    from indexer.localization.answer import Localization
    from indexer.localization.position import Position

__all__ = ["SearchOptions", "run"]


@spec(kw_only=True)
class SearchOptions(PhotoOptions, AreaOptions, LocalizerOptions):
    """Which photo, what is known of it, where to look, and in what form to answer."""

    image: Annotated[Path, Option("JPEG, PNG, WebP, TIFF, AVIF or HEIC; best a 360 degree panorama", "PHOTO")]
    json: Annotated[bool, Option("print one JSON object")] = False
    geojson: Annotated[bool, Option("print an RFC 7946 FeatureCollection")] = False

    def check_together(self) -> None:
        """One area, whole, and one form of output."""
        self.check_area(self.near)
        if self.json and self.geojson:
            raise BadConfig("--json and --geojson exclude each other; give one of them")


def run(options: SearchOptions) -> int:
    """Find the tiles most like a photo."""
    from indexer.localization.geojson import match_features
    from model.inputs.photo_view import GivenView

    given = GivenView(heading_deg=options.heading_deg, fov_deg=options.fov_deg)
    localizer = options.open_localizer()
    found = localizer.localize(options.image, given, region=options.region(), top_k=options.top_k)
    if options.geojson:
        print_json(match_features(found))
    elif options.json:
        print_json(_as_json(localizer.index, found))
    else:
        _print_table(found)
    return 0


def _as_json(index: SearchableIndex, found: Localization) -> dict[str, Any]:
    return found.as_json() | {"index": {"name": index.name, "tiles": index.count, "digest": index.digest}}


def _print_table(found: Localization) -> None:
    print_lines(f"{'rank':>4}  {'score':>7}  {'heading':>7}  {'lat':>11}  {'lon':>12}  tile")
    for match in found.matches:
        place = f"{match.tile.lat:11.6f}  {match.tile.lon:12.6f}"
        print_lines(f"{match.rank:4}  {match.score:7.4f}  {match.heading_deg:7.1f}  {place}  {match.tile.dated_name}")
    print_lines(f"{counted(found.scanned, 'tile')} compared, {'exact' if found.exact else 'approximate'}")
    print_lines(_estimate_line(found.position))
    print_lines(*(f"warning: {warning}" for warning in found.warnings))


def _estimate_line(position: Position) -> str:
    place = f"{position.centre.lat:.6f}, {position.centre.lon:.6f}"
    if position.confidence is None:
        return f"confidence unknown ({position.no_confidence_because}); best guess {place}"
    within = f"within {position.confidence_radius_m:g} m with a probability of {position.confidence:.2f}"
    return f"estimate {place}: {within}"
