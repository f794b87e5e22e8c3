"""`pairs`: geotagged photos and tiles made into pairs to train on, to watch training by and to test with."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Gt, Le

from indexer.commands.output import print_lines
from indexer.pairs.specs import PairsSpec
from indexer.tiles.sources.options import SourceOptions
from model.common.atomic_io import refuse_existing
from model.common.counted import counted
from model.common.flags import Option
from model.common.geo import parse_given_heading
from model.common.specs import Wanted, spec

if TYPE_CHECKING:
    from indexer.pairs.folder import PairsSummary

__all__ = ["PairsOptions", "run"]


@spec(kw_only=True)
class PairsOptions:
    """Which photos and tiles, and where to."""

    photos: Annotated[Path, Option("folder of geotagged photos, or a CSV with photo, lat, lon, heading", "FOLDER|CSV")]
    tiles: Annotated[
        tuple[str, ...],
        Option("tile source, as for build; more of them (other years) give further pictures", "SOURCE", repeat=True),
    ]
    out: Annotated[Path, Option("folder of pairs to write; it must not exist", "FOLDER")]
    heading_deg: Annotated[
        float | Literal["unknown"] | None,
        Option(
            "heading of all photos of which no table says it (default: as each says)", "DEG", parse=parse_given_heading
        ),
    ] = None
    fov_deg: Annotated[
        float | None,
        Gt(0),
        Le(360),
        Wanted("an angle in (0, 360] degrees"),
        Option("horizontal angle of all photos (default: as each says of itself)", "DEG"),
    ] = None
    source: SourceOptions = SourceOptions()
    how: PairsSpec = PairsSpec()
    quiet: Annotated[bool, Option("no progress")] = False


def run(options: PairsOptions) -> int:
    """Make pairs of photos and tiles, and print what was left out."""
    from indexer.pairs.folder import write_pairs
    from indexer.pairs.photos import find_photos
    from indexer.tiles.sources.open_source import open_source
    from model.common.progress import progress
    from model.inputs.photo_view import GivenView

    refuse_existing(options.out)
    photos = find_photos(options.photos, GivenView(options.heading_deg, options.fov_deg))
    with ExitStack() as stack:
        sources = [open_source(text, options.source) for text in options.tiles]
        for source in sources:
            stack.callback(source.close)
        with progress(len(photos), "making pairs", unit="photos", quiet=options.quiet) as bar:
            summary = write_pairs(photos, sources, options.out, options.how, on_progress=bar.update)
    _print_summary(summary, options.out, len(photos))
    return 0


def _print_summary(summary: PairsSummary, out: Path, count: int) -> None:
    kept = sum(summary.photos.values())
    parts = ((part, number, summary.tiles[part]) for part, number in summary.photos.items())
    print_lines(
        f"{out}: {kept:,} of {counted(count, 'photo')}, tiles of {summary.tile_m:.0f} m",
        *(f"  {part:5} {number:7,} photos {tiles:7,} tiles" for part, number, tiles in parts),
        *(["left out (left-out.csv says which and why):"] if summary.left_out else []),
        *(f"  {number:7,} {reason}" for reason, number in summary.reasons.items()),
    )
