import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.common.errors import BadPhotos
from indexer.pairs.folder import PairsSummary, write_pairs
from indexer.pairs.photos import find_photos
from indexer.pairs.specs import PairsSpec, SplitSpec
from indexer.tiles.sources.open_source import open_source
from model.common.errors import OutputExists
from model.common.geo import LatLon, great_circle_m
from model.data.manifest import read_manifest
from model.inputs.photo_view import GivenView
from tests.indexer.pairs.city import city_tiles, spot, write_photo, write_street

HOW = PairsSpec(photo_px=128, split=SplitSpec(test_share=0.2, val_share=0.2))


def make(root: Path, *more_tiles: Path, how: PairsSpec = HOW) -> PairsSummary:
    sources = [open_source(path) for path in (root / "tiles", *more_tiles)]
    return write_pairs(find_photos(root / "photos", GivenView()), sources, root / "pairs", how)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    city_tiles(tmp_path / "tiles")
    write_street(tmp_path / "photos")
    return tmp_path


def test_the_folder_is_a_data_set_whose_parts_stand_apart(city: Path) -> None:
    summary = make(city)
    sets = {part: read_manifest(city / "pairs" / f"{part}.csv") for part in ("train", "val", "test")}
    assert {part: len(pairs.queries) for part, pairs in sets.items()} == summary.photos
    assert sum(summary.photos.values()) + len(summary.left_out) == 56
    for part in ("val", "test"):
        nearest = min(great_circle_m(a.location, b.location) for a in sets["train"].queries for b in sets[part].queries)
        assert nearest >= 200.0
    assert summary.tile_m == pytest.approx(102.0, abs=8.0)


def test_training_tiles_are_centred_on_the_photo_and_show_a_margin(city: Path) -> None:
    make(city)
    train = read_manifest(city / "pairs" / "train.csv")
    for query, tile in zip(train.queries, train.positives, strict=True):
        reference = train.references[tile]
        assert reference.margin == 0.5
        assert great_circle_m(query.location, reference.location) < 0.01
        with Image.open(reference.path) as picture:
            assert picture.size == (96, 96), "twice a tile of 48 pixels"
    assert {query.heading_deg for query in train.queries} == {90.0}
    neighbours = {row: set(rows) for row, rows in enumerate(train.semi_positives)}
    assert any(neighbours.values()), "photos 38 m apart share tiles"


def test_held_out_photos_ask_for_the_sources_own_tiles(city: Path) -> None:
    make(city)
    test = read_manifest(city / "pairs" / "test.csv")
    half_m = 55.0
    for query, tile in zip(test.queries, test.positives, strict=True):
        own = test.references[tile]
        assert own.margin == 0.0
        assert great_circle_m(query.location, own.location) < half_m * 2**0.5
    files = {path.read_bytes() for path in (city / "tiles").rglob("*.png")}
    assert all(reference.path.read_bytes() in files for reference in test.references)
    assert len(test.references) > len(set(test.positives.tolist())), "others stand beside them"


def test_more_sources_give_more_pictures_of_a_place(city: Path) -> None:
    city_tiles(city / "winter")
    one = make(city, city / "winter")
    assert one.tiles["train"] == 2 * one.photos["train"]
    train = read_manifest(city / "pairs" / "train.csv")
    assert all(train.semi_positives), "the two pictures of a photo are right both"


def test_every_photo_that_is_left_out_has_its_reason(city: Path) -> None:
    photos = city / "photos"
    write_photo(photos / "lost.jpg", None)
    write_photo(photos / "zero.jpg", LatLon(0.0, 0.0))
    write_photo(photos / "abroad.jpg", spot(0.0, 90_000.0), seed=91)
    write_photo(photos / "north.jpg", spot(1_000.0, -4.0), seed=92)
    (photos / "text.jpg").write_text("no picture")
    write_photo(photos / "twin.jpg", spot(120.5, 150.0), seed=93)
    summary = make(city)
    with (city / "pairs" / "left-out.csv").open() as file:
        reasons = {row["photo"]: row["reason"] for row in csv.DictReader(file)}
    assert reasons["lost.jpg"] == reasons["zero.jpg"] == reasons["text.jpg"] == "no position"
    assert reasons["abroad.jpg"] == reasons["north.jpg"] == "off the imagery"
    assert reasons["twin.jpg"] == "duplicate position"
    assert sum(summary.reasons.values()) == len(reasons)


def test_the_map_and_the_note_are_there(city: Path) -> None:
    make(city)
    with Image.open(city / "pairs" / "map.png") as drawn:
        pixels = np.asarray(drawn.convert("RGB")).reshape(-1, 3)
    for colour in ((0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00), (0xD5, 0x5E, 0x00)):
        assert (np.abs(pixels.astype(int) - colour).max(axis=1) < 8).sum() > 30, "each part is drawn in its colour"
    assert (city / "pairs" / "pairs.json").is_file()


def test_where_nothing_draws_the_map_is_left_out_and_that_is_said(
    city: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    make(city)
    assert not (city / "pairs" / "map.png").exists()
    assert (city / "pairs" / "pairs.json").is_file()
    assert "map.png is left out: a map of the photos needs matplotlib" in caplog.text


def test_photos_keep_nothing_of_where_they_were_taken(city: Path) -> None:
    make(city)
    with Image.open(city / "pairs" / "photos" / "000000.jpg") as picture:
        assert not picture.getexif()


def test_nothing_is_left_behind_where_it_fails_and_nothing_overwritten(city: Path) -> None:
    make(city)
    with pytest.raises(OutputExists, match="exists already"):
        make(city)
    for path in (city / "photos").glob("*.jpg"):
        write_photo(path, None)
    before = sorted(path.name for path in city.iterdir())
    with pytest.raises(BadPhotos, match=r"of 56 photos too few can be used .*56 no position; the first: 000\.jpg"):
        write_pairs(find_photos(city / "photos", GivenView()), [open_source(city / "tiles")], city / "other", HOW)
    assert sorted(path.name for path in city.iterdir()) == before


def test_photos_at_one_place_are_refused(city: Path) -> None:
    for number, path in enumerate(sorted((city / "photos").glob("*.jpg"))):
        write_photo(path, spot(300.0 + 4 * number, 150.0), seed=number)
    with pytest.raises(BadPhotos, match="the 56 photos stand within 220 m and cannot be split"):
        make(city)


def test_photos_off_the_imagery_are_refused(city: Path) -> None:
    for number, path in enumerate(sorted((city / "photos").glob("*.jpg"))):
        write_photo(path, spot(120.0 + 38 * number, 5_000.0), seed=number)
    with pytest.raises(BadPhotos, match="56 off the imagery"):
        make(city)
