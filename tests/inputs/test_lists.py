"""Lists and manifests as text: what spreadsheets write, and names that look like numbers."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.common.errors import BadSource
from model.common.errors import BadDataset
from model.common.geo import LatLon
from model.data.manifest import read_manifest
from tests.inputs.making import listed, write_tile
from tests.model.tiny import write_pairs


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


NAMES = ["0313102310", "12e3", "True", "007", "7", "2024-01-01", "NA", "1.50", " x"]


def test_names_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    rows = "".join(f"{number}.png,47.{number + 1},8.5,{name}\n" for number, name in enumerate(NAMES))
    table = listed(write(tmp_path / "a.csv", "path,lat,lon,tile_id\n" + rows), tile_size_m=50.0).table
    assert table.tile_id.tolist() == NAMES
    assert table.lat.tolist() == pytest.approx([float(f"47.{number + 1}") for number in range(len(NAMES))])


def test_a_line_separator_within_a_name_ends_no_row(tmp_path: Path) -> None:
    table = listed(write(tmp_path / "a.csv", "path,lat,lon\na\u2028b.png,47,8\n"), tile_size_m=50.0).table
    assert table.source.tolist() == ["a\u2028b.png"]


def test_paths_are_text_in_lists_and_manifests(tmp_path: Path) -> None:
    assert listed(write(tmp_path / "a.csv", "path,lat,lon\n007,47,8\n"), tile_size_m=50.0).table.source[0] == "007"
    write_pairs(tmp_path, count=1, distractors=0)
    (tmp_path / "pano0.png").rename(tmp_path / "007")
    (tmp_path / "tile0.png").rename(tmp_path / "2024-01-01")
    pairs = read_manifest(write(tmp_path / "p.csv", "query,reference\n007,2024-01-01\n"))
    assert (pairs.queries[0].path.name, pairs.references[0].path.name) == ("007", "2024-01-01")


def test_names_of_a_parquet_list_are_kept_or_refused(tmp_path: Path) -> None:
    columns = {"path": ["a.png"], "lat": [47.0], "lon": [8.0]}
    for name, values in (("text", pa.array(["007"])), ("dictionary", pa.array(["007"]).dictionary_encode())):
        pq.write_table(pa.table({**columns, "tile_id": values}), tmp_path / f"{name}.parquet")
        assert listed(tmp_path / f"{name}.parquet", tile_size_m=50.0).table.tile_id.tolist() == ["007"]
    pq.write_table(pa.table({**columns, "tile_id": [7.0]}), tmp_path / "number.parquet")
    with pytest.raises(BadSource, match=r"tile_id of .* is of type double; a name is text"):
        listed(tmp_path / "number.parquet", tile_size_m=50.0)


SPREADSHEETS = {
    "semicolons": ("path;lat;lon\na.png;47,1;8,5\n", "utf-8"),
    "a separator line": ("sep=;\npath;lat;lon\na.png;47,1;8,5\n", "utf-8"),
    "a separator line of commas": ("sep=,\r\npath,lat,lon\r\na.png,47.1,8.5\r\n", "utf-8"),
    "a separator line of tabs": ("sep=\t\r\npath\tlat\tlon\r\na.png\t47,1\t8,5\r\n", "utf-8"),
    "tabs": ("path\tlat\tlon\na.png\t47.1\t8.5\n", "utf-8"),
    "a byte order mark": ("path,lat,lon\r\na.png,47.1,8.5\r\n\r\n", "utf-8-sig"),
    "UTF-16": ("path\tlat\tlon\r\na.png\t47,1\t8,5\r\n", "utf-16"),
    "comments": ("# exported 2024\n# by hand\npath, lat, lon\na.png,47.1,8.5\n,,\n", "utf-8"),
    "carriage returns": ("path,lat,lon\ra.png,47.1,8.5\r", "utf-8"),
    "quotes": ('"path";"lat";"lon"\n"a.png";"47,1";"8.5"\n', "utf-8"),
}


@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_what_a_spreadsheet_writes_is_read(tmp_path: Path, kind: str) -> None:
    table = listed(write(tmp_path / "a.csv", *SPREADSHEETS[kind]), tile_size_m=100.0).table
    assert (table.source[0], table.lat[0], table.lon[0]) == ("a.png", pytest.approx(47.1), pytest.approx(8.5))


@pytest.mark.parametrize(
    ("head", "mark", "number", "encoding"),
    [
        ("", ";", "{},{}", "utf-8"),
        ("sep=;\r\n", ";", "{},{}", "utf-8-sig"),
        ("", "\t", "{},{}", "utf-16"),
        ("# by hand\n", ",", "{}.{}", "utf-8"),
        ("", ";", '"{}.{}"', "utf-8"),
    ],
    ids=["semicolons", "a separator line", "UTF-16", "comments", "quotes"],
)
def test_a_manifest_reads_the_same_spreadsheets(
    tmp_path: Path, head: str, mark: str, number: str, encoding: str
) -> None:
    write_pairs(tmp_path, count=1, distractors=0)
    header = mark.join(("query", "reference", "lat", "lon"))
    row = mark.join(("pano0.png", "tile0.png", number.format(47, 1), number.format(8, 5)))
    pairs = read_manifest(write(tmp_path / "p.csv", f"{head}{header}\n{row}\n", encoding))
    assert pairs.queries[0].location == LatLon(47.1, 8.5)
    assert pairs.references[0].path.name == "tile0.png"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "path,lat,lon\na.png,47,8\nZürich.png,47,8.1\n".encode("latin-1"),
            r"row 2 is not UTF-8 text: .*0xfc.*save it as",
        ),
        (b'path,lat,lon\na.png,"47,1",8\n', "row 1 has '47,1'"),
        (b"path;lat;lon\na.png;1.047,1;8\n", "row 1 has '1.047,1'"),
        (b"path,lat,lon\na.png,47,8\nb.png,47,1,8,5\n", "row 2 has 5 values and the header 3"),
        (b'path,lat,lon\na.png,47,8\n"b.png,47,8\n', "row 2 cannot be taken apart"),
        (b"path,lat,lat\na.png,47,8\n", "has the column 'lat' 2 times"),
        ("path,lat,lon\na.png,47,8\n".encode("utf-16-le"), "zero bytes, so it is no text; if it is UTF-16"),
        (b"path,lat,lon\na.png,47,8\n" + b"x" * 200_000 + b",47,8\n", "row 2 cannot be taken apart"),
        (b"# nothing\n\n", "is empty"),
    ],
    ids=["Latin-1", "decimal comma", "two points", "too many", "quote", "twice", "UTF-16", "long", "nothing"],
)
def test_what_cannot_be_read_is_refused_with_its_row(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(BadSource, match=message) as caught:
        listed(tmp_path / "a.csv", tile_size_m=50.0)
    assert "\n" not in str(caught.value)


def test_a_manifest_names_the_row_below_the_header_as_the_second(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "query,reference\nZürich.png,a.png\n", "latin-1")
    with pytest.raises(BadDataset, match="row 2 is not UTF-8 text"):
        read_manifest(path)


@pytest.mark.parametrize("other", ["a.png", "./a.png", "x/../a.png", ".//a.png"])
def test_a_spelling_of_a_path_is_the_same_picture_and_stands_in_one_place(tmp_path: Path, other: str) -> None:
    path = write(tmp_path / "a.csv", f"path,lat,lon,tile_id\na.png,47,8,one\n{other},48,9,two\n")
    with pytest.raises(BadSource, match=r"rows 1 and 2 of .* list the same picture, a\.png"):
        listed(path, tile_size_m=50.0)


@pytest.mark.parametrize("link", ["symbolic", "hard", "folder"])
def test_two_names_of_one_file_are_the_same_picture(tmp_path: Path, link: str) -> None:
    first = write_tile(tmp_path / "real/a.png")
    other = tmp_path / ("linked" if link == "folder" else "b.png")
    if link == "hard":
        other.hardlink_to(first)
    else:
        other.symlink_to(first.parent if link == "folder" else first)
    name = "linked/a.png" if link == "folder" else "b.png"
    path = write(tmp_path / "a.csv", f"path,lat,lon\nreal/a.png,47,8\n{name},48,9\n")
    with pytest.raises(BadSource, match=rf"rows 1 and 2 of .* the same picture through a link, real/a\.png and {name}"):
        listed(path, tile_size_m=50.0)


def test_files_that_are_not_there_are_not_one_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "path,lat,lon\na.png,47,8\nb.png,48,9\n")
    assert listed(path, tile_size_m=50.0).notes[0].startswith("2 of the listed files do not exist")


def test_two_rows_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "path,lat,lon,tile_id\na.png,47,8,one\nb.png,48,9,one\n")
    with pytest.raises(BadSource, match=r"rows 1 and 2 of .* have the same tile_id, one"):
        listed(path, tile_size_m=50.0)
