"""The command `calibrate`: photos in, a calibration stored or checked, a table or one JSON object out."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from typing import Any

from tqdm import tqdm

from indexer.common.errors import BadCalibration, BadQuery
from indexer.confidence.calibration import Calibration
from indexer.confidence.fitting import check, default_radius_m, fit, require_conditions, require_enough
from indexer.confidence.queries import SearchedPhotos
from indexer.confidence.reliability import Distances, Reliability
from indexer.confidence.storage import read_calibration, write_calibration
from indexer.index.tile_index import TileIndex
from indexer.localization.known_photos import conditions_of, photos_with_places, search_known_photos
from indexer.localization.localizer import Localizer
from model.data.sources import open_pairs
from model.evaluation.protocol import QueryProtocol
from model.network.encoder import Encoder

__all__ = ["calibrate", "reliability_table"]


def calibrate(args: argparse.Namespace) -> int:
    """Fit a calibration and store it in the index, or check the one that is there."""
    if args.radius_m is not None and not (args.radius_m > 0 and math.isfinite(args.radius_m)):
        raise BadQuery(f"--radius-m is {args.radius_m}; give a positive number of metres")
    protocol = QueryProtocol(fov_deg=args.fov_deg, heading=args.heading_deg or "known", headings=args.headings)
    index = TileIndex.open(args.index)
    (_check if args.check else _fit)(args, index, protocol)
    return 0


def _fit(args: argparse.Namespace, index: TileIndex, protocol: QueryProtocol) -> None:
    from indexer.confidence.diagram import draw_reliability

    if not os.access(index.folder, os.W_OK):
        raise BadCalibration(f"{index.folder} cannot be written to; calibrate a copy, or change its permissions")
    asked = _ask(args, index, protocol)
    radius_m = args.radius_m or default_radius_m(index.manifest)
    fitted = fit(asked, index.manifest, radius_m=radius_m)
    write_calibration(index.folder, fitted.calibration, draw_reliability(fitted))
    if args.json:
        _print(json.dumps(fitted.calibration.as_json()))
        return
    _print(*reliability_table(fitted.held_out, fitted.calibration), "measured on photos left out while fitting")
    _print(f"stored in {index.folder}; `info` shows it, and the service takes it when it is started again")


def _check(args: argparse.Namespace, index: TileIndex, protocol: QueryProtocol) -> None:
    calibration = read_calibration(index.folder, index.manifest)
    if calibration is None:
        raise BadCalibration(f"{index.folder} has no calibration to check; make one first, without --check")
    if args.radius_m not in (None, calibration.reading.here_m):
        raise BadQuery(
            f"--radius-m is {args.radius_m}, the calibration is about {calibration.reading.here_m:g} m; "
            "leave it out, or fit another calibration"
        )
    asked = _ask(args, index, protocol, calibration)
    seen = asked.about.shared_with(calibration.photos)
    measured = check(asked, calibration)
    if args.json:
        _print(json.dumps(measured.as_json() | {"photos_of_the_fit": seen, "radius_m": calibration.reading.here_m}))
        return
    _print(*reliability_table(measured, calibration))
    if seen:
        _print(f"warning: it was fitted on {seen:,} of these {asked.about.count:,} photos; check it on others")


def _ask(
    args: argparse.Namespace, index: TileIndex, protocol: QueryProtocol, checked: Calibration | None = None
) -> SearchedPhotos:
    """Ask the photos, if there is anything to fit or, of a calibration that is `checked`, anything to tell."""
    sets = [open_pairs(text) for text in args.queries]
    photos = photos_with_places(sets)
    if checked is None:
        require_enough(len(photos))
    else:
        require_conditions(conditions_of(photos, protocol), checked)
    localizer = Localizer(Encoder.load(args.checkpoint, device=args.device), index, headings=protocol.headings)
    with tqdm(total=len(photos), unit="photo", disable=args.quiet or None, file=sys.stderr) as bar:
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


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
