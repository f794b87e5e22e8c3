import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.common.errors import IndexDamaged
from indexer.index.geoparquet import read_tiles, write_tiles
from indexer.tiles.tile_table import grid_table
from indexer.tiles.wkb import wkb_extent
from tests.indexer.tiny import table_of_boxes


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    table = grid_table(np.array([[15, 17_000, 11_000], [15, 17_001, 11_000]]), ["a.png", "ü.png"])
    write_tiles(tmp_path / "tiles.parquet", table)
    again = read_tiles(tmp_path / "tiles.parquet")
    assert [again.record(row) for row in range(2)] == [table.record(row) for row in range(2)]


def test_tiles_off_the_grid_have_null_addresses(tmp_path: Path) -> None:
    write_tiles(tmp_path / "tiles.parquet", table_of_boxes([8.0], [47.0], [8.1], [47.1]))
    assert pq.read_table(tmp_path / "tiles.parquet")["z"].null_count == 1
    assert read_tiles(tmp_path / "tiles.parquet").record(0).z is None


def test_tiles_on_and_off_the_grid_keep_their_places(tmp_path: Path) -> None:
    write_tiles(tmp_path / "tiles.parquet", grid_table(np.array([[15, 9, 7 + row] for row in range(21)]), ["a"] * 21))
    columns = pq.read_table(tmp_path / "tiles.parquet")
    off = np.arange(21) % 3 == 1
    for name in "zxy":
        numbers = pa.array(columns[name].to_numpy(), mask=off)
        columns = columns.set_column(columns.schema.get_field_index(name), pa.field(name, pa.int32()), numbers)
    pq.write_table(columns.replace_schema_metadata(None), tmp_path / "holes.parquet", row_group_size=8)
    table = read_tiles(tmp_path / "holes.parquet")
    assert table.y.tolist() == [-1 if gone else 7 + row for row, gone in enumerate(off)]
    assert table.z.tolist() == [-1 if gone else 15 for gone in off]


def test_a_table_is_read_without_pandas(tmp_path: Path) -> None:
    write_tiles(tmp_path / "tiles.parquet", table_of_boxes([8.0], [47.0], [8.1], [47.1]))
    code = (
        "import sys, pathlib; from indexer.index.geoparquet import read_tiles; read_tiles(pathlib.Path(sys.argv[1])); "
        "print(sorted({'pandas', 'pyarrow.compute'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "tiles.parquet")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"


def test_the_file_is_geoparquet(tmp_path: Path) -> None:
    table = table_of_boxes([8.0, 179.9], [47.0, 0.0], [8.1, -179.9], [47.1, 0.1])
    write_tiles(tmp_path / "tiles.parquet", table)
    file = pq.read_table(tmp_path / "tiles.parquet")
    geo = json.loads(file.schema.metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert geo["version"] == "1.1.0"
    assert column["encoding"] == "WKB"
    assert sorted(column["geometry_types"]) == ["MultiPolygon", "Polygon"]
    assert "crs" not in column  # absent means longitude and latitude on WGS 84
    assert wkb_extent(file["geometry"][0].as_py()) == (8.0, 47.0, 8.1, 47.1)


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_tiles(tmp_path / name, table_of_boxes([8.0], [47.0], [8.1], [47.1]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no parquet")
    pq.write_table(pa.table({"tile_id": ["a"]}), tmp_path / "columns")
    for name in ("text", "columns"):
        with pytest.raises(IndexDamaged, match="rebuild"):
            read_tiles(tmp_path / name)


def test_geopandas_and_duckdb_read_a_box_of_it(tmp_path: Path) -> None:
    geopandas, duckdb = pytest.importorskip("geopandas"), pytest.importorskip("duckdb")
    across, down = np.meshgrid(np.arange(17_000, 17_040), np.arange(11_000, 11_040))
    zxy = np.stack([np.full(across.size, 15), across.ravel(), down.ravel()], axis=1)
    table = grid_table(zxy, [f"{x}/{y}" for _, x, y in zxy.tolist()])
    path = tmp_path / "tiles.parquet"
    write_tiles(path, table)
    wanted = table.record(20 * 40 + 20)
    inner = [edge + inwards for edge, inwards in zip(wanted.bounds.as_tuple(), (1e-6, 1e-6, -1e-6, -1e-6), strict=True)]
    found = geopandas.read_parquet(path, bbox=inner)
    assert found["tile_id"].tolist() == [wanted.tile_id]
    assert found.total_bounds.tolist() == pytest.approx(wanted.bounds.as_tuple())
    west, south, east, north = inner
    condition = f"bbox.xmin <= {east} AND bbox.xmax >= {west} AND bbox.ymin <= {north} AND bbox.ymax >= {south}"
    rows = duckdb.sql(f"SELECT tile_id FROM '{path}' WHERE {condition}").fetchall()
    assert rows == [(wanted.tile_id,)]
