import csv

import pytest

from model.common.geo import LatLon
from model.common.manifest_rows import COLUMNS, NUMBERS, ManifestRow, write_manifest


def test_a_pair_is_a_panorama_that_looks_north():
    row = ManifestRow.pair("p.jpg", "t.jpg", LatLon(47.0, 8.0), LatLon(47.1, 8.1), vertical_deg=60.0, margin=0.25)
    assert (row.heading_deg, row.fov_deg, row.vertical_deg, row.reference_margin) == (0.0, 360.0, 60.0, 0.25)
    assert row.camera == LatLon(47.0, 8.0)


def test_a_tile_alone_has_no_camera_and_keeps_its_place():
    row = ManifestRow.pair("p.jpg", "t.jpg", LatLon(47.0, 8.0), LatLon(47.1, 8.1), margin=0.25)
    alone = row.without_query()
    assert alone == ManifestRow.tile("t.jpg", LatLon(47.1, 8.1), 0.25)
    assert (alone.query, alone.camera) == ("", None)


def test_columns_are_the_fields_and_most_are_numbers():
    assert set(COLUMNS) - set(NUMBERS) == {"query", "reference", "semi_positives"}


def test_what_is_written_is_read_as_csv_with_absent_values_empty(tmp_path):
    rows = [ManifestRow.pair("p,1.jpg", "t.jpg", LatLon(47.0, 8.0), LatLon(47.1, 8.1)),
            ManifestRow.tile("u.jpg", LatLon(1.0, 2.0))]  # fmt: skip
    write_manifest(tmp_path / "pairs.csv", rows)
    with (tmp_path / "pairs.csv").open(newline="") as file:
        pair, tile = csv.DictReader(file)
    assert tuple(pair) == COLUMNS
    assert pair["query"] == "p,1.jpg"
    assert float(pair["reference_lon"]) == pytest.approx(8.1)
    assert (tile["query"], tile["lat"], tile["reference"]) == ("", "", "u.jpg")
