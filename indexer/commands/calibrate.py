"""`calibrate`: photos in, calibrations stored or checked, tables or one JSON object out.

Known and unknown headings are two questions, each with a calibration of its own; both are fitted unless one is named.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

from indexer.commands.options import IndexOptions, RerankOptions
from indexer.commands.output import print_lines
from indexer.common.errors import BadCalibration, BadPhotos, BadQuery
from model.common.counted import counted
from model.common.errors import MissingExtra
from model.common.flags import Option
from model.common.specs import Wanted, spec
from model.evaluation.protocol import QueryProtocol
from model.inputs.specs import COARSE_HEADINGS, MOST_HEADINGS
from model.network.specs import EncoderOptions

if TYPE_CHECKING:
    from indexer.confidence.calibration import Calibration, Calibrations
    from indexer.confidence.fitting import Fitted
    from indexer.confidence.queries import SearchedPhotos
    from indexer.confidence.reliability import Distances, Reliability
    from indexer.index.tile_index import TileIndex
    from indexer.localization.localizer import Localizer
    from model.data.manifest import Photos
    from model.data.pairs import Query

__all__ = ["CalibrateOptions", "reliability_table", "run"]


@spec(kw_only=True)
class CalibrateOptions(RerankOptions, EncoderOptions, IndexOptions):
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
        Literal["known", "unknown"] | None,
        Option("known: take every photo's heading from the manifest; unknown: search it (default: both, one by one)"),
    ] = None
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
    check: Annotated[bool, Option("measure the stored calibrations on these photos; fit and write nothing")] = False
    json: Annotated[bool, Option("print one JSON object")] = False
    quiet: Annotated[bool, Option("no progress")] = False


def run(options: CalibrateOptions) -> int:
    """Fit calibrations and store them in the index, or check those that are there."""
    from indexer.index.tile_index import TileIndex
    from model.data.sources import open_photos

    index = TileIndex.open(options.index)
    asking = _Asking(options, index, [open_photos(text) for text in options.queries])
    (_check if options.check else _fit)(options, index, asking)
    return 0


@dataclass(frozen=True)
class _Asking:
    """Photos, and the localizer that they are asked of once one is needed."""

    options: CalibrateOptions
    index: TileIndex
    sets: list[Photos]

    @property
    def ways(self) -> list[QueryProtocol]:
        """How the photos are asked."""
        asked, named = self.options, self.options.heading_deg
        headings: list[Literal["known", "unknown"]] = ["known", "unknown"] if named is None else [named]
        return [QueryProtocol(fov_deg=asked.fov_deg, heading=one, headings=asked.headings) for one in headings]

    @cached_property
    def localizer(self) -> Localizer:
        from indexer.localization.localizer import Localizer
        from indexer.localization.reranking import Reranker
        from model.network.encoder import Encoder

        asked = self.options
        encoder = Encoder.load(asked.checkpoint, device=asked.device, engine=asked.engine)
        again = Reranker.open(
            self.index, checkpoint=asked.checkpoint, device=asked.device, engine=asked.engine, candidates=asked.rerank
        )
        return Localizer(encoder, self.index, headings=asked.headings, reranker=again)

    def photos(self, protocol: QueryProtocol) -> list[Query]:
        """Those that can be asked so."""
        from indexer.localization.known_photos import photos_with_places

        return photos_with_places(self.sets if protocol.searches else [one.with_heading() for one in self.sets])

    def ask(self, protocol: QueryProtocol) -> SearchedPhotos:
        """What the index answers to them."""
        from indexer.localization.known_photos import search_known_photos
        from model.common.progress import progress

        photos = self.photos(protocol)
        with progress(
            len(photos), f"asking with {protocol.heading} headings", unit="photos", quiet=self.options.quiet
        ) as bar:
            names = [one.name for one in self.sets]
            asked = search_known_photos(self.localizer, photos, names=names, protocol=protocol, on_progress=bar.update)
        if asked.left_out:
            all_asked = counted(len(photos), "photo", "is", "are")
            sys.stderr.write(
                f"warning: {len(asked.left_out):,} of {all_asked} left out, as an answer to them carries no "
                f"confidence; {asked.left_out[0]}\n"
            )
        return asked


def _fit(options: CalibrateOptions, index: TileIndex, asking: _Asking) -> None:
    """Store what can be fitted; what cannot is said, and an error where that is all."""
    from indexer.confidence.fitting import default_radius_m, fit, require_enough
    from indexer.confidence.storage import write_calibration

    if not os.access(index.folder, os.W_OK):
        raise BadCalibration(f"{index.folder} cannot be written to; calibrate a copy, or change its permissions")
    radius_m = options.radius_m or default_radius_m(index.manifest)
    fitted: list[Fitted] = []
    reasons: dict[str, str] = {}
    for protocol in asking.ways:
        try:
            require_enough(len(asking.photos(protocol)))
            fitted.append(fit(asking.ask(protocol), index.manifest, radius_m=radius_m))
        except BadPhotos as error:
            reasons[str(error)] = protocol.heading
    if not fitted:
        raise BadPhotos("; ".join(reasons))
    for reason, heading in reasons.items():
        sys.stderr.write(f"warning: answers to {heading} headings get no confidence: {reason}\n")
    for one in fitted:
        write_calibration(index.folder, one.calibration, _drawn(one))
    if options.json:
        print_lines(json.dumps({"calibrations": [one.calibration.as_json() for one in fitted]}))
        return
    for number, one in enumerate(fitted):
        print_lines(*[""] * (number > 0), *reliability_table(one.held_out, one.calibration))
        print_lines("measured on photos left out while fitting")
    print_lines(f"stored in {index.folder}; `info` shows it, and the service takes it when it is started again")


def _drawn(fitted: Fitted) -> bytes | None:
    """Its diagram; None, and a line about it, where nothing can draw one."""
    from indexer.confidence.diagram import draw_reliability

    try:
        return draw_reliability(fitted)
    except MissingExtra as error:
        _say_undrawn(str(error))
        return None


@functools.cache
def _say_undrawn(reason: str) -> None:
    """Once a process."""
    sys.stderr.write(f"no diagram is stored beside the confidence: {reason}\n")


def _check(options: CalibrateOptions, index: TileIndex, asking: _Asking) -> None:
    from indexer.confidence.fitting import check
    from indexer.confidence.storage import read_calibrations

    calibrations = read_calibrations(index.folder, index.manifest)
    if not calibrations.each:
        raise BadCalibration(f"{index.folder} has no calibration to check; make one first, without --check")
    checked: list[dict[str, Any]] = []
    for protocol, calibration in _to_check(calibrations, asking):
        if options.radius_m not in (None, calibration.reading.here_m):
            raise BadQuery(
                f"--radius-m is {options.radius_m}, the calibration is about {calibration.reading.here_m:g} m; "
                "leave it out, or fit another calibration"
            )
        asked = asking.ask(protocol)
        measured, seen = check(asked, calibration), asked.about.shared_with(calibration.photos)
        about = {"photos_of_the_fit": seen, "radius_m": calibration.reading.here_m, "heading": protocol.heading}
        checked.append(measured.as_json() | about)
        if not options.json:
            print_lines(*reliability_table(measured, calibration))
        if seen and not options.json:
            print_lines(f"warning: it was fitted on {seen:,} of these {asked.about.count:,} photos; check it on others")
    if options.json:
        print_lines(json.dumps({"checked": checked}))


def _to_check(calibrations: Calibrations, asking: _Asking) -> list[tuple[QueryProtocol, Calibration]]:
    """Each way of asking for which there is a calibration, and that.

    Raises:
        BadPhotos: there is none for any.
    """
    from indexer.localization.known_photos import conditions_of

    reranked = asking.options.rerank
    conditions = [
        (way, conditions_of(photos, way, reranked=reranked)) for way in asking.ways if (photos := asking.photos(way))
    ]
    found = [(way, one) for way, asked in conditions if (one := calibrations.for_question(asked))]
    if not found and conditions:
        calibrations.require(conditions[0][1])
    if not found:
        raise BadPhotos("no photo says where it looks; give the column heading_deg, or ask with --heading-deg unknown")
    return found


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
