"""Photos of a rendered split, turned: each says where it looks, and one area in five is nobody's tile."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.asked_photos import lay_photos, spread, write_known, write_table
from model.common.geo import LatLon
from model.common.manifest_rows import ManifestRow, write_manifest
from model.data.manifest import read_manifest
from model.inputs.photo_metadata import read_photo_metadata

SIZE = 128, 64
NORTH_COLUMN = SIZE[0] // 2


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Five areas of two pairs; each panorama is white where it looks north."""
    rows = []
    for area in range(5):
        for name in (f"{area}/a.png", f"{area}/b.png"):
            for kind, size in (("panoramas", SIZE), ("tiles", (32, 32))):
                pixels = np.zeros((*size[::-1], 3), np.uint8)
                pixels[:, NORTH_COLUMN - 4 : NORTH_COLUMN + 4] = 255
                (tmp_path / kind / name).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(tmp_path / kind / name)
            place = LatLon(10.0 + area, 20.0)
            rows.append(ManifestRow.pair(f"panoramas/{name}", f"tiles/{name}", place, place, vertical_deg=90.0))
    write_manifest(tmp_path / "pairs.csv", rows)
    return tmp_path / "pairs.csv"


def test_a_photo_says_where_it_was_turned_to(data: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    asked = lay_photos(data, tmp_path / "work", inside=8, elsewhere=2)
    turned = set()
    for photo in asked.inside:
        said = read_photo_metadata(photo.path)
        assert said.heading_deg == pytest.approx(photo.heading_deg, abs=0.001)
        assert said.fov_deg == 360.0
        assert said.vertical_deg == pytest.approx(90.0)
        with Image.open(photo.path) as picture:
            assert picture.size == (128, 32)  # 2.8 degrees a column, and a row
            bright = np.asarray(picture.convert("L")).mean(axis=0)
        north = (NORTH_COLUMN - photo.heading_deg * SIZE[0] / 360.0) % SIZE[0]
        assert bright[round(north) % SIZE[0]] > 200
        assert bright[round(north + SIZE[0] / 2) % SIZE[0]] < 50
        turned.add(photo.heading_deg)
    assert len(turned) > 4


def test_photos_of_the_last_area_have_no_tile(data: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    asked = lay_photos(data, tmp_path / "work", inside=100, elsewhere=100)
    with asked.tiles.open() as file:
        listed = {float(row["lat"]) for row in csv.DictReader(file)}
    assert listed == {10.0, 11.0, 12.0, 13.0}
    assert asked.count == len(asked.inside) == 8
    assert {photo.query.location for photo in asked.elsewhere} == {LatLon(14.0, 20.0)}


def test_tables_give_headings_and_places(data: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    photos = lay_photos(data, tmp_path / "work", inside=4, elsewhere=0).inside
    with write_table(tmp_path / "t.csv", photos).open() as file:
        assert [float(row["heading_deg"]) for row in csv.DictReader(file)] == [one.heading_deg for one in photos]
    with write_known(tmp_path / "k.csv", photos).open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["lat"]) for row in rows] == [one.query.location and one.query.location.lat for one in photos]
    assert len(read_manifest(data).queries) == 10


@pytest.mark.parametrize(("count", "chosen"), [(0, []), (2, [0, 5]), (3, [0, 3, 6]), (99, list(range(10)))])
def test_a_part_is_evenly_spread(count: int, chosen: list[int]) -> None:
    assert spread(range(10), count) == chosen
