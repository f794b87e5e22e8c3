"""`calibrate`: photos in, a calibration stored or checked, a table or one JSON object out."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

from indexer.commands.options import IndexOptions
from indexer.commands.output import print_lines
from indexer.common.errors import BadCalibration, BadQuery
from model.common.flags import Option
from model.common.specs import Wanted, spec
from model.evaluation.protocol import QueryProtocol
from model.inputs.specs import COARSE_HEADINGS, MOST_HEADINGS
from model.network.specs import EncoderOptions

if TYPE_CHECKING:
    from indexer.confidence.calibration import Calibration
    from indexer.confidence.queries import SearchedPhotos
    from indexer.confidence.reliability import Distances, Reliability
    from indexer.index.tile_index import TileIndex

__all__ = ["CalibrateOptions", "reliability_table", "run"]


@spec(kw_only=True)
class CalibrateOptions(EncoderOptions, IndexOptions):
    """Which photos, how they are asked, and in what form to answer."""

    queries: Annotated[
        tuple[str, ...],
        Option(
            "manifests of photos with lat, lon (see docs/confidence.md), from inside the index and from elsewhere",
            "PAIRS",
        ),
    ]
    radius_m: Annotated[
        float | None,
        Gt(0),
        Wanted("a positive number of metres"),
        Option("how near a right answer is (default: one tile's side)", "M"),
    ] = None
    heading_deg: Annotated[
        Literal["known", "unknown"], Option("known: take every photo's heading from the manifest; unknown: search it")
    ] = "known"
    fov_deg: Annotated[
        float,
        Gt(0),
        Le(360),
        Wanted("a field of view in (0, 360] degrees"),
        Option("cut every photo to this horizontal angle", "DEG"),
    ] = 360.0
    headings: Annotated[
        int,
        Ge(1),
        Le(MOST_HEADINGS),
        Option("headings tried first where they are unknown, as by the service that will answer", "N"),
    ] = COARSE_HEADINGS
    check: Annotated[bool, Option("measure the stored calibration on these photos; fit and write nothing")] = False
    json: Annotated[bool, Option("print one JSON object")] = False
    quiet: Annotated[bool, Option("no progress")] = False


def run(options: CalibrateOptions) -> int:
    """Fit a calibration and store it in the index, or check the one that is there."""
    from indexer.index.tile_index import TileIndex

    protocol = QueryProtocol(fov_deg=options.fov_deg, heading=options.heading_deg, headings=options.headings)
    index = TileIndex.open(options.index)
    (_check if options.check else _fit)(options, index, protocol)
    return 0


def _fit(options: CalibrateOptions, index: TileIndex, protocol: QueryProtocol) -> None:
    from indexer.confidence.diagram import draw_reliability
    from indexer.confidence.fitting import default_radius_m, fit
    from indexer.confidence.storage import write_calibration

    if not os.access(index.folder, os.W_OK):
        raise BadCalibration(f"{index.folder} cannot be written to; calibrate a copy, or change its permissions")
    asked = _ask(options, index, protocol)
    radius_m = options.radius_m or default_radius_m(index.manifest)
    fitted = fit(asked, index.manifest, radius_m=radius_m)
    write_calibration(index.folder, fitted.calibration, draw_reliability(fitted))
    if options.json:
        print_lines(json.dumps(fitted.calibration.as_json()))
        return
    print_lines(*reliability_table(fitted.held_out, fitted.calibration), "measured on photos left out while fitting")
    print_lines(f"stored in {index.folder}; `info` shows it, and the service takes it when it is started again")


def _check(options: CalibrateOptions, index: TileIndex, protocol: QueryProtocol) -> None:
    from indexer.confidence.fitting import check
    from indexer.confidence.storage import read_calibration

    calibration = read_calibration(index.folder, index.manifest)
    if calibration is None:
        raise BadCalibration(f"{index.folder} has no calibration to check; make one first, without --check")
    if options.radius_m not in (None, calibration.reading.here_m):
        raise BadQuery(
            f"--radius-m is {options.radius_m}, the calibration is about {calibration.reading.here_m:g} m; "
            "leave it out, or fit another calibration"
        )
    asked = _ask(options, index, protocol, calibration)
    seen = asked.about.shared_with(calibration.photos)
    measured = check(asked, calibration)
    if options.json:
        print_lines(
            json.dumps(measured.as_json() | {"photos_of_the_fit": seen, "radius_m": calibration.reading.here_m})
        )
        return
    print_lines(*reliability_table(measured, calibration))
    if seen:
        print_lines(f"warning: it was fitted on {seen:,} of these {asked.about.count:,} photos; check it on others")


def _ask(
    options: CalibrateOptions, index: TileIndex, protocol: QueryProtocol, checked: Calibration | None = None
) -> SearchedPhotos:
    """Ask the photos, if there is anything to fit or, of a calibration that is `checked`, anything to report."""
    from indexer.confidence.fitting import require_conditions, require_enough
    from indexer.localization.known_photos import conditions_of, photos_with_places, search_known_photos
    from indexer.localization.localizer import Localizer
    from model.common.progress import progress
    from model.data.sources import open_pairs
    from model.network.encoder import Encoder

    sets = [open_pairs(text) for text in options.queries]
    photos = photos_with_places(sets)
    if checked is None:
        require_enough(len(photos))
    else:
        require_conditions(conditions_of(photos, protocol), checked)
    localizer = Localizer(Encoder.load(options.checkpoint, device=options.device), index, headings=protocol.headings)
    with progress(len(photos), unit="photos", quiet=options.quiet) as bar:
        names = [pairs.name for pairs in sets]
        asked = search_known_photos(localizer, photos, names=names, protocol=protocol, on_progress=bar.update)
    if asked.left_out:
        sys.stderr.write(
            f"warning: {len(asked.left_out):,} of {len(photos):,} photos are left out, as an answer to them carries no "
            f"confidence; {asked.left_out[0]}\n"
        )
    return asked


def reliability_table(measured: Reliability, calibration: Calibration) -> list[str]:
    """What was measured, in lines for people."""
    radius_m, photos = calibration.reading.here_m, measured.photos
    lines = {
        "photos": f"{photos:,} with {calibration.conditions}; {measured.inside:,} taken inside the index",
        "right": f"{measured.right:,} ({measured.right / photos:.1%}) placed within {radius_m:g} m",
        "ECE": f"{measured.ece:.4f} in {len(measured.bins)} bins of equal mass",
        "Brier": f"{measured.brier:.4f}",
        "AUROC": f"{_number(measured.auroc)} right against wrong, "
        f"{_number(measured.auroc_inside)} inside against outside",
        "best tile": _distances(measured.best_tile),
        "fused": f"{_distances(measured.fused)}{', used' if calibration.reading.fused else ', not used'}",
        "radius": f"{calibration.radius_m:g} m holds 68 % of the right answers",
    }
    return [f"{name:10}{text}" for name, text in lines.items()]


def _distances(distances: Distances | None) -> str:
    if distances is None:
        return "no photo was taken inside the index"
    return f"median {distances.median_m:,.1f} m, 90th percentile {distances.p90_m:,.1f} m off, inside the index"


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.4f}"
