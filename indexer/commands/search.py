"""`search`: the tiles that look most like a photo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt, Le

from indexer.commands.options import IndexOptions
from indexer.commands.output import print_json, print_lines
from indexer.common.errors import BadQuery
from indexer.tiles.region import BoxRegion, CircleRegion, Region
from model.common.errors import BadConfig
from model.common.flags import Option
from model.common.geo import Bounds, LatLon, parse_bounds, parse_heading, parse_lat_lon
from model.common.specs import Wanted, spec
from model.network.specs import EncoderOptions

if TYPE_CHECKING:
    from indexer.index.tile_index import TileIndex
    from indexer.localization.photo import PhotoMatches

__all__ = ["SearchOptions", "run"]


@spec(kw_only=True)
class SearchOptions(EncoderOptions, IndexOptions):
    """Which photo, what is known of it, where to look, and in what form to answer."""

    image: Annotated[Path, Option("JPEG, PNG or WebP; best a 360 degree panorama", "PHOTO")]
    top_k: Annotated[int, Ge(1), Option("number of matches", "K")] = 5
    heading_deg: Annotated[
        float | None,
        Option(
            "where the photo's centre looks, clockwise from north; unknown: try all headings",
            "DEG|unknown",
            parse=parse_heading,
        ),
    ] = 0.0
    fov_deg: Annotated[
        float,
        Gt(0),
        Le(360),
        Wanted("the horizontal angle of the photo in (0, 360] degrees"),
        Option("horizontal angle; an ordinary photo has about 70", "DEG"),
    ] = 360.0
    near: Annotated[
        LatLon | None, Option("look only around this point; needs --radius-m", "LAT,LON", parse=parse_lat_lon)
    ] = None
    radius_m: Annotated[
        float | None, Gt(0), Wanted("a positive number of metres"), Option("how far around --near, in metres", "M")
    ] = None
    bbox: Annotated[Bounds | None, Option("look only inside this box, in degrees", "W,S,E,N", parse=parse_bounds)] = (
        None
    )
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
    from indexer.commands.geojson import match_features
    from indexer.index.tile_index import TileIndex
    from indexer.localization.photo import search_photo
    from model.common.images import decode_image
    from model.network.encoder import Encoder

    region = _region(options)
    index = TileIndex.open(options.index)
    encoder = Encoder.load(options.checkpoint, device=options.device)
    index.require_encoder(encoder)
    photo = decode_image(options.image, at_least_px=encoder.inputs.ground_decode_px)
    asked = {name: getattr(options, name) for name in ("heading_deg", "fov_deg", "top_k")}
    found = search_photo(index, encoder, photo, region=region, **asked)
    if not found.hits:
        raise BadQuery(
            f"none of the {index.count:,} tiles of {options.index} touches the given area; widen it, or leave it out "
            "(are latitude and longitude swapped?)"
        )
    if options.geojson:
        print_json(match_features(index, found))
    elif options.json:
        print_json(_matches(index, found))
    else:
        _print_table(index, found)
    return 0


def _region(options: SearchOptions) -> Region | None:
    if options.bbox is not None:
        return BoxRegion(options.bbox)
    if options.near is None or options.radius_m is None:
        return None
    return CircleRegion(options.near, options.radius_m)


def _matches(index: TileIndex, found: PhotoMatches) -> dict[str, Any]:
    matches = []
    for rank, hit in enumerate(found.hits, start=1):
        tile = index.tile(hit.row)
        place = {"lat": tile.lat, "lon": tile.lon, "bounds": list(tile.bounds.as_tuple())}
        fit = {"score": hit.score, "heading_deg": hit.heading_deg}
        matches.append({"rank": rank, "tile_id": tile.tile_id, **fit, **place, "source": tile.source})
    about = {"name": index.name, "tiles": index.count, "digest": index.digest}
    return {
        "matches": matches,
        "index": about,
        "exact": found.exact,
        "scanned": found.scanned,
        "warnings": list(found.warnings),
    }


def _print_table(index: TileIndex, found: PhotoMatches) -> None:
    print_lines(f"{'rank':>4}  {'score':>7}  {'heading':>7}  {'lat':>11}  {'lon':>12}  tile")
    for match in _matches(index, found)["matches"]:
        place = f"{match['lat']:11.6f}  {match['lon']:12.6f}"
        print_lines(
            f"{match['rank']:4}  {match['score']:7.4f}  {match['heading_deg']:7.1f}  {place}  {match['tile_id']}"
        )
    print_lines(f"{found.scanned:,} tiles compared, {'exact' if found.exact else 'approximate'}")
    for warning in found.warnings:
        print_lines(f"warning: {warning}")
