"""Whether a confidence fitted on single photos, searched in a whole index, speaks about other questions, too.

    python -m benchmarks.bench_conditions --demo clnet-data/demo

`--demo` is the folder that `make demo` filled: `region/`, `elsewhere/` and their `index/`. Photos from inside and
outside are asked in several ways: whole panoramas in the whole index and within a circle (which holds the place if that
is in the index), views of 90 degrees alone and several of them together. Calibrations are fitted on the even photos and
measured on the odd ones: that of the plain question on the other one, and one fitted for that question itself. Writes
`results/conditions.json`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.bench_together import views_of
from benchmarks.record import write_record
from indexer.common.errors import BadPhotos
from indexer.confidence.calibration import Calibration, Conditions
from indexer.confidence.features import BEST, TopK
from indexer.confidence.fitting import check, default_radius_m, fit
from indexer.confidence.photo_fingerprints import PhotoSet
from indexer.confidence.queries import KnownPhoto, SearchedPhotos
from indexer.index.tile_index import TileIndex
from indexer.localization.answer import PreparedPhoto
from indexer.localization.localizer import Localizer
from indexer.localization.together import rank_together
from indexer.tiles.region import CircleRegion, Region
from model.common.geo import LatLon
from model.common.images import decode_image
from model.data.manifest import read_manifest
from model.data.pairs import Query
from model.inputs.heading_search import hits_of
from model.inputs.photo_view import GivenView

_AREAS_M = (250.0, 1_000.0)
_TOGETHER = (2, 4)
_M_PER_DEG = 111_195.0

Ask = Callable[[Query, int], TopK]


def main() -> None:
    """Ask, fit, measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--demo", type=Path, required=True, help="folder that `make demo` filled")
    parser.add_argument("--checkpoint", default="demo", help="bundle folder, or the name of a packaged one")
    parser.add_argument("--beside", default="nothing", help="what else the machine does meanwhile, for the record")
    args = parser.parse_args()
    localizer = Localizer.open(args.demo / "index", checkpoint=args.checkpoint)
    queries = [
        query
        for place in ("region", "elsewhere")
        for name in ("pairs.csv", "calibration.csv")
        for query in read_manifest(args.demo / place / name).queries
    ]
    asking = _Asking(localizer)
    plain = _searched(localizer, queries, asking.panorama, 360.0, "whole index")
    view = _searched(localizer, queries, asking.view, 90.0, "one view of 90 degrees")
    result: dict[str, Any] = {"checkpoint": args.checkpoint, "beside": args.beside, "photos": len(queries)}
    result["whole index"] = _both(localizer, plain, plain)
    result["one view"] = _both(localizer, view, view)
    for radius_m in _AREAS_M:
        within = _searched(localizer, queries, asking.within(radius_m), 360.0, f"within {radius_m:g} m")
        result[f"within {radius_m:g} m"] = _both(localizer, plain, within)
    for count in _TOGETHER:
        views = _searched(localizer, queries, asking.together(count), 90.0, f"{count} views")
        result[f"{count} views"] = _both(localizer, view, views)
    for name, worth in result.items():
        print(f"{name:14} {worth}")
    print(write_record("conditions", result))


class _Asking:
    """The ways in which a photo is asked; a photo's number draws what is random."""

    def __init__(self, localizer: Localizer) -> None:
        self._localizer = localizer

    def panorama(self, query: Query, number: int) -> TopK:
        """The whole of it, in the whole index."""
        del number
        return self._single(self._localizer.prepare(query.path), None)

    def within(self, radius_m: float) -> Ask:
        """The whole of it, in a circle around a point up to half a radius off, or around any tile."""

        def ask(query: Query, number: int) -> TopK:
            random, index = np.random.default_rng(number), self._localizer.index
            assert query.location is not None
            centre = query.location
            if not index.covers(centre):
                tile = index.tile(int(random.integers(index.count)))
                centre = LatLon(tile.lat, tile.lon)
            off_m, towards = radius_m / 2 * math.sqrt(random.random()), 2 * math.pi * random.random()
            lat = centre.lat + off_m * math.cos(towards) / _M_PER_DEG
            lon = centre.lon + off_m * math.sin(towards) / (_M_PER_DEG * math.cos(math.radians(lat)))
            return self._single(self._localizer.prepare(query.path), CircleRegion(LatLon(lat, lon), radius_m))

        return ask

    def view(self, query: Query, number: int) -> TopK:
        """90 degrees of it."""
        (photo,) = self._views(query, 1, number)
        return self._single(photo, None)

    def together(self, count: int) -> Ask:
        """Several views of 90 degrees of it, spread around."""

        def ask(query: Query, number: int) -> TopK:
            localizer = self._localizer
            photos = self._views(query, count, number)
            found = rank_together(localizer.encoder, localizer.index, photos, headings=localizer.headings)
            return TopK.of(localizer.index, found.hits)

        return ask

    def _single(self, photo: PreparedPhoto, region: Region | None) -> TopK:
        index = self._localizer.index
        vector = self._localizer.encoder.encode_ground(photo.canvas[np.newaxis])
        (result,) = index.search(vector, top_k=BEST, region=region)
        return TopK.of(index, hits_of(result, 0.0))

    def _views(self, query: Query, count: int, number: int) -> list[PreparedPhoto]:
        pictures, headings = views_of(decode_image(query.path), count, number)
        return [self._localizer.prepare(one, _given(at)) for one, at in zip(pictures, headings, strict=True)]


def _given(heading_deg: float) -> GivenView:
    return GivenView(heading_deg, 90.0, 180.0, projection="equirectangular")


def _searched(localizer: Localizer, queries: Sequence[Query], ask: Ask, fov_deg: float, name: str) -> SearchedPhotos:
    photos = []
    for number, query in enumerate(tqdm(queries, desc=name, disable=None)):
        assert query.location is not None
        photos.append(KnownPhoto(ask(query, number), query.location, localizer.index.covers(query.location)))
    return SearchedPhotos(tuple(photos), Conditions((fov_deg, fov_deg)), PhotoSet((name,), ()))


def _half(asked: SearchedPhotos, odd: bool) -> SearchedPhotos:
    return SearchedPhotos(asked.photos[int(odd) :: 2], asked.conditions, asked.about)


def _both(localizer: Localizer, plain: SearchedPhotos, asked: SearchedPhotos) -> dict[str, Any]:
    """The plain question's calibration, and one of its own, on the odd photos of a question."""
    assert isinstance(localizer.index, TileIndex)
    manifest, told = localizer.index.manifest, _half(asked, odd=True)
    result = {}
    for name, fitted_on in (("the plain question's", plain), ("its own", asked)):
        try:
            one = fit(_half(fitted_on, odd=False), manifest, radius_m=default_radius_m(manifest)).calibration
        except BadPhotos as error:
            result[name] = {"none": str(error)}
            continue
        result[name] = _worth(told, one)
    return result


def _worth(told: SearchedPhotos, calibration: Calibration) -> dict[str, Any]:
    measured = check(told, calibration)
    confidence = calibration.confidence_in(
        np.array([calibration.reading.read(photo.candidates).features for photo in told.photos])
    )
    return {
        "photos": measured.photos,
        "right": round(measured.right / measured.photos, 4),
        "mean_confidence": round(float(confidence.mean()), 4),
        "ece": round(measured.ece, 4),
        "brier": round(measured.brier, 4),
        "auroc": measured.auroc,
    }


if __name__ == "__main__":
    main()
