import math

import pytest

from model.data.text_table import parse_number, read_text_table

KNOWN = {"path", "lat", "lon"}


def read(folder, data: str | bytes, first_row: int = 1):
    path = folder / "table.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_text_table(path, KNOWN, first_row=first_row)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_is_told_by_the_known_names(tmp_path, mark):
    table = read(tmp_path, mark.join(("path", "lat")) + "\n" + mark.join(("a.png", "007")) + "\n\n")
    assert table.columns == {"path": ["a.png"], "lat": ["007"]}
    assert (len(table), table.decimal_comma) == (1, mark != ",")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marked_text_is_read_in_its_encoding(tmp_path, encoding):
    assert read(tmp_path, "path,lat\nZürich.png,1\n".encode(encoding)).columns["path"] == ["Zürich.png"]


def test_remarks_and_a_line_that_names_the_separator_stand_above_the_header(tmp_path):
    assert read(tmp_path, "# of 2026\nsep=;\npath;lat\na;1\n").columns == {"path": ["a"], "lat": ["1"]}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "is empty"),
        ("path,lat\na,1\nb\n", "row 3 has 1 values and the header 2"),
        ('path,lat\n"a,1\n', "row 2 cannot be taken apart"),
        ("path,path\na,b\n", "has the column 'path' 2 times"),
        (b"path,lat\nZ\xfcrich,1\n", "row 2 is not UTF-8 text: it holds the byte 0xfc, which is 'ü'"),
        (b"p\0a\0t\0h\0", "zero bytes"),
    ],
)
def test_what_is_no_table_is_refused_by_its_row(tmp_path, data, reason):
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, data, first_row=2)


@pytest.mark.parametrize(
    ("text", "comma", "number"),
    [(" 47.5 ", False, 47.5), ("47,5", True, 47.5), ("1e2", False, 100.0), ("47,5", False, math.nan),
     ("1,234.5", True, math.nan), ("47_1", False, math.nan), ("north", False, math.nan)],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it(text, comma, number):
    assert parse_number(text, decimal_comma=comma) == pytest.approx(number, nan_ok=True)
