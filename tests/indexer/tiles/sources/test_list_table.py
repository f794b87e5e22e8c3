"""Lists keep names as they are written and take numbers as people write them, or name the row that is none."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.list_table import ListTable, check_range


def csv(tmp_path, text):
    path = tmp_path / "list.csv"
    path.write_text(text)
    return ListTable(path)


def parquet_of(tmp_path, columns):
    path = tmp_path / "list.parquet"
    parquet.write_table(pa.table(columns), path)
    return ListTable(path)


def test_names_of_digits_stay_as_they_are_written(tmp_path):
    assert csv(tmp_path, "path,lat,lon\n007,47.1,8.5\n1e3,0,0\n").texts("path") == ["007", "1e3"]


def test_a_semicolon_list_may_have_decimal_commas(tmp_path):
    table = csv(tmp_path, "path;lat;lon\na.png;47,1;8,5\n")
    assert (table.degrees("lat").tolist(), table.degrees("lon").tolist()) == ([47.1], [8.5])


def test_parquet_is_told_by_its_bytes_and_read_alike(tmp_path):
    table = parquet_of(tmp_path, {"path": ["a.png"], "lat": [47.5], "lon": ["8.5"], "tile_id": [7]})
    assert table.parquet is not None
    assert (table.texts("path"), table.texts("tile_id")) == (["a.png"], ["7"])
    assert (table.degrees("lat").tolist(), table.degrees("lon").tolist()) == ([47.5], [8.5])


def test_a_name_that_is_missing_is_refused_with_its_row(tmp_path):
    with pytest.raises(BadSource, match=r"row 2 of .*list.csv has no path"):
        csv(tmp_path, "path,lat,lon\na.png,1,2\n,3,4\n").texts("path")
    with pytest.raises(BadSource, match=r"row 2 of .*list.parquet has no path"):
        parquet_of(tmp_path, {"path": ["a.png", None]}).texts("path")


def test_names_that_are_numbers_with_a_point_are_refused(tmp_path):
    with pytest.raises(BadSource, match=r"column path .* is of type double; a name is text"):
        parquet_of(tmp_path, {"path": [1.5]}).texts("path")


@pytest.mark.parametrize(
    ("value", "reason"),
    [("47°6", "row 1 has '47°6'"), ("91", "has lat 91.0, beyond 90 degrees"), ("", "has lat nan")],
)
def test_degrees_that_are_none_are_refused_with_their_row(tmp_path, value, reason):
    with pytest.raises(BadSource, match=reason):
        csv(tmp_path, f"path,lat,lon\na.png,{value},8.5\n").degrees("lat")


def test_two_columns_of_one_name_and_what_is_no_table_are_refused(tmp_path):
    with pytest.raises(BadSource, match="'lat' 2 times"):
        csv(tmp_path, "path,lat,lat\na.png,1,2\n")
    with pytest.raises(BadSource, match="cannot be read as CSV or Parquet"):
        csv(tmp_path, "PAR1 and no more")


def test_a_range_is_that_of_the_kind(tmp_path):
    check_range(np.array([-180.0, 180.0]), "lon", tmp_path)
    with pytest.raises(BadSource, match=r"row 2 .* latitude and longitude swapped"):
        check_range(np.array([0.0, -90.1]), "south", tmp_path)
