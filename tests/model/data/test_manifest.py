from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from model.common.errors import BadDataset
from model.common.geo import LatLon
from model.common.manifest_rows import COLUMNS, ManifestRow, write_manifest
from model.data.manifest import read_manifest, read_photos
from model.data.pairs import Query, Reference
from tests.model.tiny import write_pairs


def manifest(tmp_path, text):
    write_pairs(tmp_path, count=2, distractors=0)
    path = tmp_path / "mine.csv"
    path.write_text(text)
    return path


def test_pairs_distractors_and_coordinates_are_read(tmp_path):
    pairs = read_manifest(write_pairs(tmp_path, count=3, distractors=2))
    assert (len(pairs.queries), len(pairs.references)) == (3, 5)
    assert pairs.positives.tolist() == [0, 1, 2]
    assert pairs.queries[1].location == LatLon(47.001, 8.5)
    assert pairs.references[0].location is None


def test_rows_with_one_reference_share_it(tmp_path):
    path = manifest(tmp_path, "query,reference\npano0.png,tile0.png\npano1.png,tile0.png\n")
    pairs = read_manifest(path)
    assert (len(pairs.references), pairs.positives.tolist()) == (1, [0, 0])


def test_parquet_reads_like_csv(tmp_path):
    write_pairs(tmp_path)
    table = pa.table({"query": ["pano0.png"], "reference": ["tile0.png"], "heading_deg": [-90.0], "fov_deg": [90]})
    parquet.write_table(table, tmp_path / "pairs.parquet")
    query = read_manifest(str(tmp_path / "pairs.parquet")).queries[0]
    assert (query.heading_deg, query.fov_deg) == (270.0, 90.0)


def test_numbers_may_be_quoted_or_text_and_nothing_may_be_spelled_out(tmp_path):
    head = "query,reference,lat,lon,heading_deg\n"
    path = manifest(tmp_path, head + 'pano0.png,tile0.png,"47.5", 8.5,1e1\npano1.png,tile1.png,NULL,nan,\n')
    first, second = read_manifest(path).queries
    assert (first.location, first.heading_deg) == (LatLon(47.5, 8.5), 10.0)
    assert (second.location, second.heading_deg) == (None, 0.0)
    text = pa.table({"query": ["pano0.png"], "reference": ["tile0.png"], "heading_deg": ["90.5"]})
    parquet.write_table(text, tmp_path / "text.parquet")
    assert read_manifest(tmp_path / "text.parquet").queries[0].heading_deg == 90.5


def test_margins_and_semi_positives_are_read_whichever_row_names_the_tile_first(tmp_path):
    head = "query,reference,reference_margin,semi_positives\n"
    pairs = read_manifest(
        manifest(tmp_path, head + "pano0.png,tile0.png,0.25,tile1.png\npano1.png,tile1.png,,\n,tile0.png,0.25,\n")
    )
    assert [tile.margin for tile in pairs.references] == [0.25, 0.0]
    assert pairs.semi_positives == ((1,), ())


def test_without_semi_positives_there_is_no_list_of_them(tmp_path):
    assert read_manifest(write_pairs(tmp_path)).semi_positives == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("query,tile\na,b\n", "lacks the columns reference and has the unknown columns tile; known are query"),
        ("query\na\n", "lacks the columns reference; known are query"),
        ("query,reference\npano0.png,nowhere.png\n", r"names 1 of 2 pictures that are not there: .*nowhere\.png"),
        ("query,reference,lat,lon\npano0.png,tile0.png,847,0\n", "row 2: lat, lon: latitude 847"),
        (
            "query,reference,lat,lon\npano0.png,tile0.png,47,\n",
            "row 2: there is a lat, 47, and no lon; give both, or neither",
        ),
        ("query,reference,fov_deg\npano0.png,tile0.png,0\n", "row 2: fov_deg is 0"),
        ("query,reference,vertical_deg\npano0.png,tile0.png,-3\n", "row 2: vertical_deg is -3"),
        ("query,reference,heading_deg\npano0.png,tile0.png,north\n", "row 2: heading_deg is 'north'"),
        ("query,reference,heading_deg\npano0.png,tile0.png,4294967206\n", "row 2: the heading is 4294967206; give"),
        ("query,reference,heading_deg\npano0.png,tile0.png,-361\n", "row 2: the heading is -361; give degrees"),
        ("query,reference,heading_deg\npano0.png,tile0.png,true\n", "row 2: heading_deg is 'true'"),
        ("query,reference,heading_deg\npano0.png,tile0.png,1_0\n", "row 2: heading_deg is '1_0'"),
        (
            "query,reference,heading_deg\npano0.png,tile0.png,9.5\npano1.png,tile1.png,unknown\n",
            "row 3: heading_deg is 'unknown'; give a number",
        ),
        (
            'query,reference,lat,lon\npano0.png,tile0.png,NULL,nan\npano1.png,tile1.png,"47,1",8.5\n',
            "row 3: lat is '47,1'; give a number",
        ),
        (
            "query,reference,reference_lat,reference_lon\npano0.png,tile0.png,,8.5\n",
            "row 2: there is a reference_lon, 8.5, and no reference_lat",
        ),
        ("query,reference,reference_margin\npano0.png,tile0.png,-1\n", "row 2: reference_margin is -1"),
        (
            "query,reference,reference_margin\npano0.png,tile0.png,0.1\npano1.png,tile0.png,0.2\n",
            "row 3: tile0.png has the reference_margin 0.2, 0.1 before",
        ),
        (
            "query,reference,semi_positives\npano0.png,tile0.png,tile1.png;\n",
            "row 2: semi_positives names tile1.png, which no row has",
        ),
        ("query,reference,semi_positives\npano0.png,tile0.png,tile0.png\n", "query 0 with the positive 0 has"),
        ("query,reference,semi_positives\npano0.png,tile0.png,7\n", "row 2: semi_positives names 7, which no row has"),
        ("query,reference\npano0.png,\n", "row 2: reference is"),
        ("query,reference\n", "holds no pairs"),
        ("", "cannot be read as a table"),
    ],
)
def test_a_wrong_manifest_says_which_row_and_why(tmp_path, text, reason):
    with pytest.raises(BadDataset, match=reason):
        read_manifest(manifest(tmp_path, text))


def test_what_is_written_is_read_in_every_column(tmp_path):
    write_pairs(tmp_path, count=2, distractors=1)
    camera, centre = LatLon(47.0, 8.5), LatLon(47.0005, 8.5005)
    pair = ManifestRow.pair("pano0.png", "tile0.png", camera, centre, vertical_deg=60.0, margin=0.25)
    rows = [
        replace(pair, heading_deg=90.0, fov_deg=120.0, semi_positives="tile1.png"),
        ManifestRow.tile("tile1.png", centre),
    ]
    write_manifest(tmp_path / "written.csv", rows)
    found = read_manifest(tmp_path / "written.csv")
    assert found.queries == (Query(tmp_path / "pano0.png", 90.0, 120.0, 60.0, camera),)
    assert found.references == (
        Reference(tmp_path / "tile0.png", centre, 0.25),
        Reference(tmp_path / "tile1.png", centre),
    )
    assert found.semi_positives == ((1,),)


def test_every_column_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    documented = {name.strip(" `") for cell in rows for name in cell.split(",")}
    assert set(COLUMNS) <= documented


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(BadDataset, match=r"no manifest .*none\.csv"):
        read_manifest(tmp_path / "none.csv")


def test_photos_alone_need_no_reference(tmp_path):
    Image.new("RGB", (8, 4)).save(tmp_path / "a.png")
    Image.new("RGB", (8, 4)).save(tmp_path / "b.png")
    (tmp_path / "pairs.csv").write_text("query,lat,lon,heading_deg\na.png,1,2,90\nb.png,3,4,\n,,,\n")
    photos = read_photos(tmp_path / "pairs.csv")
    assert photos.name == tmp_path.name
    assert [query.path.name for query in photos.queries] == ["a.png", "b.png"]
    assert photos.heading_known == (True, False)
    assert photos.with_heading().queries == photos.queries[:1]
    for text, reason in (
        ("reference\na.png\n", "lacks the columns query"),
        ("query\n\n", "names no photo"),
        ("query\nc.png\n", "names 1 of 1 pictures that are not there"),
        ("query,heading_deg\na.png,400\n", "row 2: the heading is 400"),
    ):
        (tmp_path / "pairs.csv").write_text(text)
        with pytest.raises(BadDataset, match=reason):
            read_photos(tmp_path / "pairs.csv")
