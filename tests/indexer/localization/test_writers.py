"""Every form of output, read back by a program that is not ours."""

import csv
import io
import json
import sys
from pathlib import Path

import pyogrio
import pytest

from indexer.common.errors import BadQuery
from indexer.localization.photo_answer import FIELDS, PhotoAnswer
from indexer.localization.writers import FORMATS, TableWriter, check_output, open_writer
from model.common.errors import BadConfig, MissingExtra, OutputExists
from tests.indexer.localization.answers import EVERY, FAILED, GOOD, UNSURE, found


def written(form: str, *answers: PhotoAnswer) -> str:
    stream = io.StringIO()
    with open_writer(form, None, stream) as writer:
        for answer in answers:
            writer.add(answer)
    return stream.getvalue()


def test_json_is_one_object_a_line() -> None:
    lines = [json.loads(line) for line in written("json", *EVERY).splitlines()]
    assert lines == [answer.as_json() for answer in EVERY]
    assert lines[0]["estimate"] == {
        "confidence": 0.75, "confidence_radius_m": 75.0, "no_confidence_because": None,
        "lat": 47.5, "lon": 8.25, "radius_m": 31.2,
    }  # fmt: skip
    assert lines[1]["view"]["heading_source"] == "unknown"


def test_json_comes_as_it_is_found() -> None:
    stream = io.StringIO()
    with open_writer("json", None, stream) as writer:
        writer.add(GOOD)
        assert json.loads(stream.getvalue()) == GOOD.as_json()


def test_csv_is_a_table_of_all_columns() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", *EVERY))))
    assert [list(row) for row in rows] == [list(FIELDS)] * 3
    for row, answer in zip(rows, EVERY, strict=True):
        for name, value in answer.row().items():
            assert row[name] == ("" if value is None else str(value))


def test_geojson_is_points_in_the_order_of_the_standard() -> None:
    collection = json.loads(written("geojson", *EVERY))
    assert collection["type"] == "FeatureCollection"
    first, second, third = collection["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [8.25, 47.5]}
    assert second["geometry"]["coordinates"] == [-70.5, -33.875]
    assert third["geometry"] is None
    assert third["properties"]["error"] == FAILED.error
    assert first["properties"] == {name: GOOD.row()[name] for name in FIELDS if name not in ("lat", "lon")}
    assert json.loads(written("geojson")) == {"type": "FeatureCollection", "features": []}


def test_a_geopackage_is_read_back_by_gdal(tmp_path: Path) -> None:
    out = tmp_path / "made" / "photos.gpkg"
    with open_writer("gpkg", out, sys.stdout) as writer:
        for answer in EVERY:
            writer.add(answer)
    assert [path.name for path in out.parent.iterdir()] == ["photos.gpkg"]
    assert pyogrio.list_layers(out).tolist() == [["photos", "Point"]]
    meta, _, points, columns = pyogrio.raw.read(out, layer="photos")
    assert meta["crs"] == "EPSG:4326"
    assert list(meta["fields"]) == list(FIELDS)
    assert [None if point is None else len(point) for point in points] == [21, 21, None]
    bounds = pyogrio.read_bounds(out, layer="photos")[1]
    assert bounds[:, 0].tolist() == [8.25, 47.5, 8.25, 47.5]  # (lon, lat), both corners of a point
    assert bounds[:, 1].tolist() == [-70.5, -33.875, -70.5, -33.875]
    for name, values in zip(meta["fields"], columns, strict=True):
        for value, answer in zip(values.tolist(), EVERY, strict=True):
            wanted = answer.row()[name]
            assert value == wanted or (wanted is None and (value is None or value != value)), name


def test_a_geopackage_without_one_good_answer_is_whole(tmp_path: Path) -> None:
    with open_writer("gpkg", tmp_path / "none.gpkg", sys.stdout) as writer:
        writer.add(FAILED)
    assert pyogrio.read_info(tmp_path / "none.gpkg", layer="photos")["features"] == 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_appears_whole_or_not_at_all(form: str, tmp_path: Path) -> None:
    def interrupted() -> None:
        with open_writer(form, tmp_path / "out", sys.stdout) as writer:
            writer.add(GOOD)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_exists_is_replaced_only_on_demand(form: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("mine")
    with pytest.raises(OutputExists, match="out exists already"), open_writer(form, out, sys.stdout):
        pass
    assert out.read_text() == "mine"
    with open_writer(form, out, sys.stdout, overwrite=True) as writer:
        writer.add(GOOD)
    assert out.read_bytes() != b"mine"
    out.unlink()
    out.mkdir()
    with pytest.raises(OutputExists):
        check_output(form, out, overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(BadConfig, match="is a file and no folder"):
        check_output(form, tmp_path / "file" / "out")


def test_a_geopackage_needs_its_driver_and_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(BadQuery, match=r"--out FILE\.gpkg"):
        check_output("gpkg", None)
    monkeypatch.setitem(sys.modules, "pyogrio.raw", None)
    with pytest.raises(MissingExtra, match=r"clnet-geolocalization\[geo\]"):
        check_output("gpkg", tmp_path / "a.gpkg")


def table(answer: PhotoAnswer) -> list[str]:
    lines: list[str] = []
    TableWriter(lines.append).add(answer)
    return lines


def test_people_read_first_how_sure() -> None:
    assert table(GOOD) == [
        "some/café, 1.jpg: 47.50000, 8.25000, 75% sure within 75 m",
        "  heading 124 degrees (from: given), field of view 360 degrees (from: given)",
        "    1  score 0.625  47.50000, 8.25000  tile tile-7 of 2026-06-01",
    ]
    first, second, *_, dark, odd = table(UNSURE)
    assert first == "unsure.jpg: confidence unknown (see the warning); best guess -33.87500, -70.50000"
    assert "(found by trying all), field of view 67 degrees (from: photo)" in second
    assert (dark, odd) == ("  warning: the picture is dark", '  warning: it is "odd"')
    assert table(FAILED) == ["text.jpg: no answer: the photo is not a JPEG"]


def test_an_answer_that_is_probably_wrong_is_not_sold_as_one() -> None:
    assert table(PhotoAnswer(Path("a.jpg"), found(confidence=0.25)))[0] == (
        "a.jpg: not found: only 25% sure within 75 m of the best guess, 47.50000, 8.25000"
    )
    assert (
        "confidence unknown (the index is not calibrated)"
        in table(PhotoAnswer(Path("a.jpg"), found(confidence=None)))[0]
    )
