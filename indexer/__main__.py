"""`python -m indexer build | search | calibrate | info | verify`. Parses first, imports later."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from indexer import __version__
from model.common.command_line import (
    as_argument,
    join_coordinates,
    parse_bounds,
    parse_count,
    parse_heading,
    parse_lat_lon,
    run,
)

__all__ = ["main"]

_EXAMPLES = """examples:
  python -m indexer build --tiles tiles/ --out index
  python -m indexer build --tiles mosaic.tif --out index --tile-size-m 100 --stride-m 50 --dry-run
  python -m indexer search --index index --image photo.jpg --near 47.1,8.5 --radius-m 2000
  python -m indexer calibrate --index index --queries pairs.csv photos-from-elsewhere.csv
  python -m indexer verify --index index"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it failed, 2 for wrong arguments."""
    args = _parser().parse_args(join_coordinates(sys.argv[1:] if argv is None else argv))

    def command() -> int:
        from indexer.commands import commands

        chosen: Callable[[argparse.Namespace], int] = getattr(commands, args.command)
        return chosen(args)

    return run(command)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m indexer",
        description="Embed a satellite tile corpus into an index, and search it with a street-level photo.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_build(commands.add_parser("build", help="embed every tile of a source and write an index folder"))
    _add_search(commands.add_parser("search", help="find the tiles that look most like a photo"))
    _add_calibrate(commands.add_parser("calibrate", help="fit how sure an answer is, on photos of known place"))
    _add_info(commands.add_parser("info", help="print what an index folder holds"))
    _add_verify(commands.add_parser("verify", help="check digests and counts, and embed a sample of tiles again"))
    return parser


def _add_build(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--tiles", required=True, metavar="SOURCE", help="folder of z/x/y tiles, PMTiles, MBTiles, GeoTIFF, or a list")
    add("--out", required=True, type=Path, metavar="FOLDER", help="index folder to write; it must not exist")
    _add_encoder(parser)
    add("--zoom", type=int, metavar="Z", help="the one zoom to index (default: the deepest; for a raster its own)")
    add("--bbox", type=as_argument(parse_bounds), metavar="W,S,E,N", help="only tiles that touch this box, in degrees")
    add(
        "--scheme",
        default="auto",
        metavar="ORDER",
        help="how rows of tiles are counted: xyz, tms, zyx, quadkey, a pattern of file names such as {z}_{x}_{y}.png, "
        "or auto, as the source says (default: %(default)s)",
    )
    add(
        "--tile-size-m",
        type=float,
        metavar="M",
        help="ground side of tiles cut or listed without bounds",
    )
    add(
        "--stride-m",
        type=float,
        metavar="M",
        help="ground distance between cut tiles (default: their side)",
    )
    add(
        "--tile-px",
        type=int,
        default=256,
        metavar="PX",
        help="side of cut pictures (default: %(default)s)",
    )
    add("--min-valid", type=float, default=0.5, metavar="SHARE", help="least share of data in a tile cut from a raster")
    add("--bands", type=_parse_bands, metavar="R,G,B", help="bands of a raster to draw, from 1 (default: as it says)")
    add("--nodata", type=float, metavar="VALUE", help="value of a raster that means no data (default: as it says)")
    add("--skip-bad", action="store_true", help="go on without the rasters of a folder that cannot be used")
    add(
        "--anchors",
        type=parse_count,
        metavar="N",
        help="describe each tile around N x N points (default: the checkpoint's)",
    )
    add("--batch-size", type=int, default=64, metavar="N", help="tiles encoded at once (default: %(default)s)")
    add("--workers", type=int, metavar="N", help="threads that read and decode (default: one a processor)")
    add("--dry-run", action="store_true", help="print the plan (tiles, bytes, minutes) and stop")
    add("--restart", action="store_true", help="discard an unfinished build instead of resuming it")
    add("--quiet", action="store_true", help="no progress bar")


def _add_search(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_index(parser)
    add("--image", required=True, type=Path, metavar="PHOTO", help="JPEG, PNG or WebP; best a 360 degree panorama")
    _add_encoder(parser)
    add("--top-k", type=int, default=5, metavar="K", help="number of matches (default: %(default)s)")
    add(
        "--heading-deg",
        type=parse_heading,
        default=0.0,
        metavar="DEG|unknown",
        help="where the photo's centre looks, clockwise from north (default: 0); unknown: try all headings",
    )
    add(
        "--fov-deg",
        type=float,
        default=360.0,
        metavar="DEG",
        help="horizontal angle; an ordinary photo has about 70 (default: %(default)s)",
    )
    add(
        "--near",
        type=as_argument(parse_lat_lon),
        metavar="LAT,LON",
        help="look only around this point; needs --radius-m",
    )
    add("--radius-m", type=float, metavar="M", help="how far around --near, in metres")
    add("--bbox", type=as_argument(parse_bounds), metavar="W,S,E,N", help="look only inside this box, in degrees")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--geojson", action="store_true", help="print an RFC 7946 FeatureCollection")


def _add_calibrate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_index(parser)
    add(
        "--queries",
        required=True,
        nargs="+",
        metavar="PAIRS",
        help="manifests of photos with lat, lon (see docs/confidence.md), from inside the index and from elsewhere",
    )
    _add_encoder(parser)
    add("--radius-m", type=float, metavar="M", help="how near a right answer is (default: one tile's side)")
    add(
        "--heading-deg",
        choices=("unknown",),
        help="search for every photo's heading (default: take it from the manifest)",
    )
    add(
        "--fov-deg",
        type=float,
        default=360.0,
        metavar="DEG",
        help="cut every photo to this horizontal angle (default: %(default)s)",
    )
    add(
        "--headings",
        type=parse_count,
        default=24,
        metavar="N",
        help="tried first where they are unknown, as by the service that will answer (default: %(default)s)",
    )
    add("--check", action="store_true", help="measure the stored calibration on these photos; fit and write nothing")
    add("--json", action="store_true", help="print one JSON object")
    add("--quiet", action="store_true", help="no progress bar")


def _add_info(parser: argparse.ArgumentParser) -> None:
    _add_index(parser)
    parser.add_argument("--json", action="store_true", help="print the manifest and the calibration as one JSON object")


def _add_verify(parser: argparse.ArgumentParser) -> None:
    _add_index(parser)
    _add_encoder(parser)
    parser.add_argument(
        "--sample", type=int, default=16, metavar="N", help="tiles embedded again (default: %(default)s)"
    )


def _add_index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", required=True, type=Path, metavar="FOLDER", help="an index folder")


def _add_encoder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint", default="demo", metavar="BUNDLE", help="checkpoint bundle (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: %(default)s)")


def _parse_bands(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of band numbers, such as 4,3,2") from None


if __name__ == "__main__":
    sys.exit(main())
