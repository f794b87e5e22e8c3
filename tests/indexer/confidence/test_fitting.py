"""Fitting finds probabilities that are known, fuses only where that helps, and refuses sets that teach nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest

from indexer.common.errors import BadPhotos
from indexer.confidence.calibration import Calibration, Conditions
from indexer.confidence.fitting import check, default_radius_m, fit
from indexer.confidence.queries import KnownPhoto
from model.common.geo import LatLon
from tests.indexer.candidates import MANIFEST, METRE, asked, candidates, known_probability, overlapping_grid


@pytest.fixture(scope="module")
def fitted():
    return fit(asked(known_probability(1_000, seed=1)[0]), MANIFEST, radius_m=100.0)


def test_known_probabilities_are_found(fitted):
    photos, probability = known_probability(1_000, seed=2)
    reading, model = fitted.calibration.reading, fitted.calibration.confidence
    confidence = np.array([model.of(reading.read(photo.candidates).features) for photo in photos])
    assert np.abs(confidence - probability).mean() < 0.05


def test_calibration_holds_on_other_photos(fitted):
    checked = check(asked(known_probability(2_000, seed=3)[0]), fitted.calibration)
    assert checked.ece < 0.05
    assert checked.auroc == pytest.approx(fitted.held_out.auroc, abs=0.05)
    assert fitted.held_out.ece < 0.05


def test_the_same_photos_give_the_same_calibration(fitted):
    again = fit(asked(known_probability(1_000, seed=1)[0]), MANIFEST, radius_m=100.0)
    assert again.calibration == fitted.calibration


def test_it_survives_json(fitted):
    text = json.dumps(fitted.calibration.as_json())
    assert Calibration.from_json(json.loads(text)) == fitted.calibration


def test_overlapping_tiles_are_fused():
    found = fit(asked(overlapping_grid(300, seed=1, exact=False)), MANIFEST, radius_m=100.0)
    checked = check(asked(overlapping_grid(300, seed=2, exact=False)), found.calibration)
    assert found.calibration.reading.fused
    assert checked.fused.beats(checked.best_tile)
    assert found.calibration.radius_m < 20


def test_where_the_best_tile_is_exact_nothing_is_fused():
    found = fit(asked(overlapping_grid(300, seed=1, exact=True)), MANIFEST, radius_m=100.0)
    assert not found.calibration.reading.fused
    assert found.calibration.radius_m == 1.0
    assert found.held_out.as_json()["fused"]["median_m"] >= found.held_out.best_tile.median_m


def test_a_position_that_is_not_used_is_checked_as_it_was_fitted():
    photos = asked(overlapping_grid(300, seed=1, exact=True))
    found = fit(photos, MANIFEST, radius_m=100.0)
    assert not found.calibration.reading.fused
    checked = check(photos, found.calibration)
    assert checked.fused.median_m == pytest.approx(found.held_out.fused.median_m, rel=0.01, abs=0.1)
    sharper = replace(found.calibration, reading=replace(found.calibration.reading, temperature=9.0))
    assert check(photos, sharper).fused == checked.fused  # that temperature is the regression's


def test_photos_of_one_place_are_left_out_together():
    photos = known_probability(60, seed=4)[0]
    found = fit(asked(photos * 20), MANIFEST, radius_m=100.0)  # each place twenty times: a model could learn by heart
    assert found.held_out.auroc < 1.0
    assert len(set(np.round(found.confidence, 12).tolist())) == 60  # each twin was left out by the same fold


def test_too_few_photos_are_refused():
    with pytest.raises(BadPhotos, match="99 photos are too few to calibrate on; give at least 100"):
        fit(asked(known_probability(99, seed=1)[0]), MANIFEST, radius_m=100.0)


def test_photos_of_one_kind_are_refused():
    right = [photo for photo in overlapping_grid(400, seed=1, exact=True) if photo.inside]
    wrong = [replace(photo, place=LatLon(80.0, 0.0)) for photo in right]
    with pytest.raises(BadPhotos, match=r"200 of 200 photos are placed within 100 m; .* Add photos from outside"):
        fit(asked(right), MANIFEST, radius_m=100.0)
    with pytest.raises(BadPhotos, match="0 of 200 photos are placed within 100 m"):
        fit(asked(wrong), MANIFEST, radius_m=100.0)


def test_photos_from_few_places_are_refused():
    found = [candidates((east_m, 0, 0.8), (9_000, 0, 0.5)) for east_m in (0, 5_000)]
    photos = [KnownPhoto(one, LatLon(0.0, METRE), inside=True) for one in found]
    with pytest.raises(BadPhotos, match="100 of 200 photos are placed within 100 m, but they come from too few places"):
        fit(asked(photos * 100), MANIFEST, radius_m=100.0)


def test_a_place_is_a_square_as_far_north_and_east_as_one_likes():
    side_m, row, column = 200.0, 39_000, 17_000  # 70 degrees north, 89 east: there a parallel is a third of the equator
    photos = []
    for number in range(200):
        north_m = (row + (number % 40 + 0.5) / 40) * side_m
        east_m = (column + number % 4 + 0.5) * side_m / np.cos(np.radians(row * side_m * METRE))  # on the equator
        found = candidates((east_m, north_m + 5_000 * (number % 2), 0.8), (0, 0, 0.5))
        photos.append(KnownPhoto(found, LatLon(north_m * METRE, east_m * METRE), inside=True))
    with pytest.raises(BadPhotos, match="100 of 200 photos are placed within 100 m, but they come from too few places"):
        fit(asked(photos), MANIFEST, radius_m=100.0)


def test_photos_asked_otherwise_do_not_check_it(fitted):
    narrow = replace(asked(known_probability(10, seed=1)[0]), conditions=Conditions((90.0, 90.0), headings=24))
    with pytest.raises(BadPhotos, match=r"unknown headings \(24 tried\) and a field of view of 90 degrees"):
        check(narrow, fitted.calibration)


def test_default_radius_is_a_tiles_side():
    assert default_radius_m(replace(MANIFEST, tile_size_m=(120.04, 75.0))) == pytest.approx(94.9)
