from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from indexer.common.errors import BadPhotos
from indexer.localization.known_photos import conditions_of, photos_with_places, search_known_photos
from indexer.localization.localizer import Localizer
from model.data.manifest import read_manifest
from model.evaluation.protocol import QueryProtocol
from tests.fakes import FakeEncoder
from tests.indexer.photos import write_photos
from tests.indexer.tiny import build_tiny


def test_photos_are_searched_and_known_to_lie_inside_or_not(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    pairs = read_manifest(write_photos(tmp_path / "photos", index, count=9))
    done: list[int] = []
    found = search_known_photos(
        Localizer(FakeEncoder(), index),
        photos_with_places([pairs, pairs]),
        names=["mine"],
        protocol=QueryProtocol(),
        on_progress=done.append,
    )
    assert [photo.inside for photo in found.photos] == [number % 3 > 0 for number in range(9)]
    assert sum(done) == 9
    assert found.about.count == 9
    assert (found.conditions.fov_deg, found.conditions.headings) == ((360.0, 360.0), None)


def test_a_photo_of_one_colour_is_left_out_and_named(tmp_path: Path) -> None:
    index = build_tiny(tmp_path)
    pairs = read_manifest(write_photos(tmp_path / "photos", index, count=3))
    Image.new("RGB", (96, 96), (9, 9, 9)).save(pairs.queries[0].path)
    ask = {"names": ["mine"], "protocol": QueryProtocol(), "on_progress": lambda _: None}
    found = search_known_photos(Localizer(FakeEncoder(), index), pairs.queries, **ask)
    assert (len(found.photos), len(found.left_out)) == (2, 1)
    assert found.left_out[0].startswith("0.png: ")
    with pytest.raises(BadPhotos, match=r"no photo is left of 1, 0\.png"):
        search_known_photos(Localizer(FakeEncoder(), index), pairs.queries[:1], **ask)


def test_a_photo_without_a_place_cannot_be_calibrated_on(tmp_path: Path) -> None:
    pairs = read_manifest(write_photos(tmp_path / "photos", build_tiny(tmp_path), count=2))
    lost = replace(pairs, queries=(pairs.queries[0], replace(pairs.queries[1], location=None)))
    with pytest.raises(BadPhotos, match=r"1 of 2 photos have no lat, lon, 1\.png for one"):
        photos_with_places([lost])


def test_conditions_span_the_fields_of_view_and_the_headings_tried(tmp_path: Path) -> None:
    pairs = read_manifest(write_photos(tmp_path / "photos", build_tiny(tmp_path), count=2))
    queries = (replace(pairs.queries[0], fov_deg=70.0), pairs.queries[1])
    asked = conditions_of(queries, QueryProtocol(fov_deg=90.0, heading="unknown", headings=12))
    assert (asked.fov_deg, asked.headings) == ((70.0, 90.0), 12)
