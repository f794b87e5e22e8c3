"""Shortlists made by hand: tiles at metres east and north of (0, 0), with their scores."""

from __future__ import annotations

import numpy as np

from indexer.confidence.calibration import Calibration, Conditions, Logistic
from indexer.confidence.features import BEST, FeatureReader, TopK
from indexer.confidence.photo_fingerprints import PhotoSet
from indexer.confidence.queries import KnownPhoto, SearchedPhotos
from indexer.confidence.reliability import measure
from indexer.index.manifest import Manifest, SearchRecipe
from indexer.tiles.tile_table import TileRecord
from model.common.geo import EARTH_RADIUS_M, Bounds, LatLon, normal_lon

METRE = float(np.degrees(1.0 / EARTH_RADIUS_M))
"""Degrees of a metre on the equator."""

MANIFEST = Manifest(
    encoder={"name": "made up", "digest": "e" * 64},
    dim=2,
    anchors=[(0.0, 0.0)],
    count=1,
    search=SearchRecipe(),
    source={},
    bounds=Bounds(-1.0, -1.0, 1.0, 1.0),
    tile_size_m=(100.0, 100.0),
    tiles={},
    files={},
    written_by="test",
)

CALIBRATION = Calibration(
    encoder="e",
    index="i",
    reading=FeatureReader(100.0, 110.0, 0.05, fused=True),
    confidence=Logistic(-1.0, (2.0, 0.0, 0.0, 0.0, 0.0)),
    radius_m=25.0,
    conditions=Conditions((360.0, 360.0)),
    photos=PhotoSet(("made up",), tuple(f"{number:08x}" for number in range(1000))),
    held_out=measure(
        np.array([0.2, 0.8]),
        np.array([False, True]),
        np.array([True, True]),
        best_tile_m=np.ones(2),
        fused_m=np.ones(2),
    ),
    fused_temperature=0.05,
    written_by="test",
)
"""Confidence one half at a score of one half."""


def tile(east_m: float, north_m: float, half_m: float = 50.0) -> TileRecord:
    lat, lon = north_m * METRE, east_m * METRE
    west, east = (normal_lon((east_m + side) * METRE) for side in (-half_m, half_m))
    bounds = Bounds(west, lat - half_m * METRE, east, lat + half_m * METRE)
    return TileRecord("tile", None, None, None, lat, lon, bounds, "tile.png")


def candidates(*tiles: tuple[float, float, float]) -> TopK:
    """Of (east, north, score), best first."""
    listed = [tile(east_m, north_m) for east_m, north_m, _ in tiles[:BEST]]
    lats, lons = np.array([(one.lat, one.lon) for one in listed], np.float64).T
    return TopK(lats, lons, np.array([score for *_, score in tiles[:BEST]], np.float64), listed[0].bounds)


def asked(photos: list[KnownPhoto]) -> SearchedPhotos:
    prints = tuple(f"{number:08x}" for number in range(len(photos)))
    return SearchedPhotos(tuple(photos), Conditions((360.0, 360.0)), PhotoSet(("made up",), prints))


def known_probability(count: int, seed: int) -> tuple[list[KnownPhoto], np.ndarray]:
    """Photos that are right with a probability that their best score tells, and those probabilities."""
    random = np.random.default_rng(seed)
    scores = random.uniform(0.3, 0.9, count)
    probability = 1.0 / (1.0 + np.exp(-15.0 * (scores - 0.6)))
    photos = []
    for score, right in zip(scores, random.random(count) < probability, strict=True):
        home = random.uniform(-20_000, 20_000, 2)
        rivals = [(*random.uniform(-40_000, 40_000, 2), 0.2) for _ in range(BEST - 1)]
        offset = random.uniform(-30, 30, 2) if right else np.array([0.0, 5_000.0])
        east_m, north_m = home + offset
        photos.append(
            KnownPhoto(candidates((*home, score), *rivals), LatLon(north_m * METRE, east_m * METRE), inside=True)
        )
    return photos, probability


def overlapping_grid(count: int, seed: int, *, exact: bool) -> list[KnownPhoto]:
    """Tiles every 50 m whose scores fall with the distance from the camera, if not `exact`; half the photos lie."""
    random = np.random.default_rng(seed)
    photos = []
    for number in range(count):
        camera = random.uniform(-20_000, 20_000, 2)
        around = 50.0 * np.stack(np.meshgrid(range(-2, 3), range(-2, 3)), axis=-1).reshape(-1, 2)
        tiles = (camera if exact else np.round(camera / 50.0) * 50.0) + around
        scores = 0.8 * np.exp(-((np.linalg.norm(tiles - camera, axis=1) / 60.0) ** 2))
        if exact:  # only the camera's own tile is alike
            scores = np.where(np.linalg.norm(around, axis=1) == 0, 0.8, random.uniform(0.1, 0.4, len(around)))
        order = np.argsort(-scores)[:BEST]
        found = candidates(*((*tiles[row], float(scores[row] + 0.001 * random.random())) for row in order))
        truth = camera if number % 2 else camera + 30_000.0
        photos.append(KnownPhoto(found, LatLon(truth[1] * METRE, truth[0] * METRE), inside=bool(number % 2)))
    return photos
