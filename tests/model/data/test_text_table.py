from pathlib import Path

import pytest

from model.data.text_table import read_text_table


def table_of(folder: Path, text: str):
    (folder / "a.csv").write_bytes(text.encode())
    return read_text_table(folder / "a.csv", {"path", "lat"}, first_row=1)


def test_every_value_stays_as_it_stands(tmp_path):
    table = table_of(tmp_path, 'path,lat\n007, 1e3\n"a,b",true\n"two\nlines",\n')
    assert table.columns == {"path": ["007", "a,b", "two\nlines"], "lat": [" 1e3", "true", ""]}
    assert (len(table), table.decimal_comma) == (3, False)


def test_the_separator_is_the_one_that_parts_the_known_names(tmp_path):
    table = table_of(tmp_path, "path;lat,deg;lat\na;b;c\n")
    assert list(table.columns) == ["path", "lat,deg", "lat"]
    assert table.decimal_comma


def test_one_column_and_no_row_are_a_table(tmp_path):
    assert table_of(tmp_path, "path\n").columns == {"path": []}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("path,lat\na\n", "row 1 has 1 values and the header 2"),
        ("", "is empty"),
        ("path,path\n", "column 'path' 2 times"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, text, reason):
    with pytest.raises(ValueError, match=reason):
        table_of(tmp_path, text)


@pytest.mark.parametrize("head", [b"PK\x03\x04\x14\0\x06\0", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"])
def test_a_spreadsheet_of_its_own_format_is_told_to_be_saved_as_csv(tmp_path, head):
    (tmp_path / "a.csv").write_bytes(head)
    with pytest.raises(ValueError, match="is a spreadsheet or another packed file, no text; save the sheet as CSV"):
        read_text_table(tmp_path / "a.csv", ("path",), first_row=1)
