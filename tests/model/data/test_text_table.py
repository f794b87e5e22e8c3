"""CSV as people and spreadsheets write it: every value as it stands, or the row that cannot be read."""

import math

import pytest

from model.data.text_table import parse_number, read_text_table

KNOWN = {"path", "lat", "lon"}
TEXT = "path,lat,lon\nMünster.png,47.1,8.5\n"


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return read_text_table(path, KNOWN, first_row=2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_table_is_read_in_every_unicode_that_marks_itself(tmp_path, encoding):
    table = read(tmp_path, TEXT, encoding)
    assert table.columns == {"path": ["Münster.png"], "lat": ["47.1"], "lon": ["8.5"]}
    assert len(table) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_told_by_the_known_names(tmp_path, delimiter):
    table = read(tmp_path, TEXT.replace(",", delimiter))
    assert table.columns["lat"] == ["47.1"]
    assert table.decimal_comma == (delimiter != ",")


def test_what_stands_above_the_header_and_empty_rows_are_passed_over(tmp_path):
    assert read(tmp_path, f"# exported\n\n{TEXT}\n,,\n").columns["path"] == ["Münster.png"]
    assert read(tmp_path, "sep=;\npath;lat\na.png;47,1\n").columns["lat"] == ["47,1"]


def test_values_stay_as_they_are_written(tmp_path):
    table = read(tmp_path, 'path,lat,lon\n007,"1,5"," x "\n')
    assert table.columns == {"path": ["007"], "lat": ["1,5"], "lon": [" x "]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("path,lat\na.png,1\nb.png,2,3\n", "row 3 has 3 values and the header 2"),
        ('path,lat\n"a.png,1\n', "row 2 cannot be taken apart"),
        ("path,lat,lat\na,1,2\n", "has the column 'lat' 2 times"),
        ("path,lat\na\0.png,1\n", "zero bytes"),
        (
            "path,lat\nok.png,1\nMünster.png,2\n".encode("latin-1"),
            "row 3 is not UTF-8 text: .* byte 0xfc, which is 'ü'",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_its_row(tmp_path, text, reason):
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "comma", "number"),
    [(" 47.1 ", False, 47.1), ("47,1", True, 47.1), ("1e3", False, 1000.0), ("1.5", True, 1.5)],
)
def test_numbers_are_read_as_people_write_them(text, comma, number):
    assert parse_number(text, decimal_comma=comma) == number


@pytest.mark.parametrize(("text", "comma"), [("47,1", False), ("47_1", False), ("", False), ("1.234,5", True)])
def test_what_is_no_number_is_none(text, comma):
    assert math.isnan(parse_number(text, decimal_comma=comma))
