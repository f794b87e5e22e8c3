"""`localize`: one photo, a folder or a table of photos, each answered with a position and how far it can be trusted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from indexer.commands.options import LocalizerOptions, PhotoOptions
from indexer.commands.output import print_lines
from model.common.counted import counted
from model.common.errors import BadConfig, OutputExists
from model.common.flags import Option
from model.common.geo import LatLon, parse_lat_lon
from model.common.specs import spec

if TYPE_CHECKING:
    from indexer.localization.localizer import Localizer
    from indexer.localization.photo_answer import PhotoAnswer
    from indexer.localization.photo_list import PhotoRequest
    from indexer.localization.write_gps import GpsCopies

__all__ = ["LocalizeOptions", "run"]


def _parse_near(text: str) -> LatLon | Literal["exif"]:
    return "exif" if text == "exif" else parse_lat_lon(text)


@spec(kw_only=True)
class LocalizeOptions(PhotoOptions, LocalizerOptions):
    """Which photos, what is known of them, where to look, and in what form to answer."""

    photos: Annotated[
        tuple[Path, ...],
        Option("photos, folders of photos, or CSV tables with a column photo", "PHOTO|FOLDER|CSV", positional=True),
    ]
    near: Annotated[
        LatLon | Literal["exif"] | None,
        Option(
            "look only around this point, or around the position that each photo's EXIF has; needs --radius-m",
            "LAT,LON|exif",
            parse=_parse_near,
        ),
    ] = None
    together: Annotated[
        bool, Option("all photos were taken within some metres of each other: answer once, from all of them")
    ] = False
    json: Annotated[bool, Option("one JSON object a line and photo")] = False
    csv: Annotated[bool, Option("a CSV table, one row a photo")] = False
    geojson: Annotated[bool, Option("an RFC 7946 FeatureCollection, one point a photo")] = False
    gpkg: Annotated[bool, Option("a GeoPackage with a layer photos; needs --out and the extra geo")] = False
    out: Annotated[Path | None, Option("file to write instead of the standard output", "FILE")] = None
    overwrite: Annotated[bool, Option("replace the file of --out")] = False
    write_gps: Annotated[
        Path | None, Option("write copies whose EXIF position is the estimate into this folder", "FOLDER")
    ] = None
    min_confidence: Annotated[
        float | None, Gt(0), Le(1), Option("least confidence of a position that --write-gps writes", "P")
    ] = None
    batch_size: Annotated[int, Ge(1), Le(256), Option("photos embedded at once", "N")] = 16
    workers: Annotated[int, Ge(1), Le(64), Option("threads that read and decode", "N")] = 2
    strict: Annotated[bool, Option("end with 1 if any photo fails, not only if all do")] = False
    quiet: Annotated[bool, Option("no progress")] = False

    @property
    def form(self) -> str | None:
        """The form of the output; None for a table that people read."""
        return next((name for name in ("json", "csv", "geojson", "gpkg") if getattr(self, name)), None)

    def check_together(self) -> None:
        """One area, whole; one form of output; and a confidence for the positions that are written."""
        self.check_area(self.near)
        if sum((self.json, self.csv, self.geojson, self.gpkg)) > 1:
            raise BadConfig("--json, --csv, --geojson and --gpkg exclude each other; give one of them")
        if self.out is not None and self.form is None:
            raise BadConfig(f"--out is {self.out}; say in which form: --json, --csv, --geojson or --gpkg")
        if self.gpkg and self.out is None:
            raise BadConfig("--gpkg writes a file; name it with --out FILE.gpkg")
        if self.together and (self.near == "exif" or self.write_gps is not None):
            raise BadConfig("--together goes neither with --near exif nor with --write-gps; leave one of them out")
        if self.together and self.rerank:
            raise BadConfig("--together compares every tile and looks at none again; leave --rerank out")
        if (self.write_gps is None) != (self.min_confidence is None):
            raise BadConfig("--write-gps and --min-confidence belong together; give both, or neither")


def run(options: LocalizeOptions) -> int:
    """Answer every photo; 1 where all failed, or with `strict` any."""
    from indexer.localization.batch import localize_photos, localize_photos_together
    from indexer.localization.photo_list import list_photos
    from indexer.localization.write_gps import GpsCopies
    from indexer.localization.writers import check_output
    from model.common.progress import progress

    if options.form is not None:
        check_output(options.form, options.out, overwrite=options.overwrite)
    requests = list_photos(options.photos, _defaults(options))
    _spare_what_is_read(options, requests)
    copies = None
    if options.write_gps is not None and options.min_confidence is not None:
        copies = GpsCopies(options.write_gps, requests, least_confidence=options.min_confidence)
    localizer = options.open_localizer()
    _say_what_confidence_there_is(localizer, options)
    if options.together:
        one = localize_photos_together(localizer, requests, top_k=options.top_k, workers=options.workers)
        _write(options, iter([one]), None, lambda _: None)
        return int(one.found is None or (options.strict and len(one.together) < len(requests)))
    answers = localize_photos(
        localizer, requests, top_k=options.top_k, batch_size=options.batch_size, workers=options.workers
    )
    with progress(len(requests), "placing", unit="photos", quiet=options.quiet or len(requests) == 1) as bar:
        failed = _write(options, answers, copies, bar.update)
    if failed:
        sys.stderr.write(f"{failed:,} of {counted(len(requests), 'photo')} could not be placed\n")
    uncopied = 0
    if copies is not None:
        uncopied = copies.failed
        asked = counted(len(requests), "photo", "was", "were")
        sys.stderr.write(f"{copies.written:,} of {asked} copied to {options.write_gps}\n")
        if uncopied:
            sys.stderr.write(
                f"{uncopied:,} that {'was' if uncopied == 1 else 'were'} sure enough could not be copied\n"
            )
    nothing = failed == len(requests) or (copies is not None and uncopied > 0 == copies.written)
    return int(nothing or (options.strict and failed + uncopied > 0))


def _spare_what_is_read(options: LocalizeOptions, requests: Sequence[PhotoRequest]) -> None:
    """Make sure that --overwrite replaces neither a photo nor a table that is asked for."""
    from indexer.localization.photo_list import real_path

    if options.out is None:
        return
    out = real_path(options.out)
    if any(real_path(path) == out for path in (*options.photos, *(request.path for request in requests))):
        raise OutputExists(f"--out {options.out} is one of the files that are read; give another file")


def _defaults(options: LocalizeOptions) -> PhotoRequest:
    from indexer.localization.photo_list import PhotoRequest
    from indexer.tiles.region import CircleRegion
    from model.inputs.photo_view import GivenView

    region = options.read_area()
    around_exif_m = None
    if options.near == "exif":
        around_exif_m = options.radius_m
    elif options.near is not None and options.radius_m is not None:
        region = CircleRegion(options.near, options.radius_m)
    given = GivenView(heading_deg=options.heading_deg, fov_deg=options.fov_deg)
    return PhotoRequest(Path(), given, region, around_exif_m)


def _say_what_confidence_there_is(localizer: Localizer, options: LocalizeOptions) -> None:
    """An answer without a confidence says so first."""
    if options.together:
        sys.stderr.write("note: no confidence is fitted for several photos together; how sure they are is not said\n")
        return
    fitted = "; and for ".join(str(one.conditions) for one in localizer.calibrations.each)
    if fitted:
        sys.stderr.write(f"note: confidences are for {fitted}; another question has none\n")
    else:
        sys.stderr.write(
            f"note: index {localizer.index.name} is not calibrated: how sure an answer is cannot be said; "
            "see `python -m indexer calibrate --help`\n"
        )


def _write(
    options: LocalizeOptions, answers: Iterator[PhotoAnswer], copies: GpsCopies | None, advance: Callable[[int], object]
) -> int:
    """Write every answer as it comes; returns how many photos failed."""
    from indexer.localization.writers import AnswerWriter, TableWriter, open_writer
    from model.common.errors import GeoLocalizationError

    failed = 0
    with ExitStack() as stack:
        if options.form is None:
            writer: AnswerWriter = TableWriter(print_lines)
        else:
            writer = stack.enter_context(
                open_writer(options.form, options.out, sys.stdout, overwrite=options.overwrite)
            )
        for answer in answers:
            failed += answer.error is not None
            writer.add(answer)
            if answer.error is not None and options.form is not None:
                sys.stderr.write(f"error: {answer.name}: {answer.error}\n")
            if copies is not None:
                try:
                    copies.add(answer)
                except (GeoLocalizationError, OSError) as error:
                    sys.stderr.write(f"warning: no copy of {answer.name}: {error}\n")
            advance(1)
    return failed
