import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.list_table import ListTable, check_range


def csv(folder, text):
    path = folder / "tiles.csv"
    path.write_text(text)
    return path


def parquet(folder, **columns):
    pq.write_table(pa.table(columns), folder / "tiles.parquet")
    return folder / "tiles.parquet"


def test_names_stay_as_they_are_written(tmp_path):
    table = ListTable(csv(tmp_path, "path,tile_id,lat,lon\na.png,007,47.5,8\nb.png,12e3,46,9\n"))
    assert table.texts("tile_id") == ["007", "12e3"]
    assert table.degrees("lat").tolist() == [47.5, 46.0]
    assert table.parquet is None


def test_parquet_is_known_by_its_first_bytes(tmp_path):
    table = ListTable(parquet(tmp_path, path=["a.png"], tile_id=[7], lat=["47.5"]))
    assert table.texts("tile_id") == ["7"]
    assert table.degrees("lat").tolist() == [47.5]
    assert list(table.names) == ["path", "tile_id", "lat"]


def test_what_is_no_name_or_number_is_refused_by_its_row(tmp_path):
    table = ListTable(csv(tmp_path, "path,lat\na.png,47\n,north\n"))
    with pytest.raises(BadSource, match=r"row 2 of .* has no path"):
        table.texts("path")
    with pytest.raises(BadSource, match=r"row 2 has 'north'; write 47\.1"):
        table.degrees("lat")
    with pytest.raises(BadSource, match="a name is text, so write it as text"):
        ListTable(parquet(tmp_path, path=[1.5])).texts("path")


@pytest.mark.parametrize("wrong", [91.0, -90.5, float("inf")])
def test_degrees_beyond_their_range_are_refused(tmp_path, wrong):
    check_range(np.array([90.0, -90.0]), "lat", tmp_path)
    with pytest.raises(BadSource, match=r"row 2 of .*beyond 90 degrees"):
        check_range(np.array([0.0, wrong]), "lat", tmp_path)
    with pytest.raises(BadSource, match=r"row 2 of .* has no lat"):
        check_range(np.array([0.0, np.nan]), "lat", tmp_path)


def test_damaged_parquet_is_an_error_of_ours(tmp_path):
    (tmp_path / "tiles.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(BadSource, match="cannot be read as CSV or Parquet"):
        ListTable(tmp_path / "tiles.parquet")
