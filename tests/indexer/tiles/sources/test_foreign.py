"""Files, names and databases of neighbouring tools are told apart from those that are read."""

import pytest

from indexer.tiles.sources.foreign import FOREIGN_SUFFIXES, foreign_file, foreign_names, foreign_tables


def test_suffixes_count_in_either_case() -> None:
    assert "unpack" in foreign_file(".ZIP")
    assert foreign_file(".tif") == ""


def test_pictures_in_a_folder_are_not_foreign() -> None:
    assert not FOREIGN_SUFFIXES & {".png", ".jpg", ".jpeg", ".webp", ".tif", ".csv", ".parquet"}


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("cache/L16/R000059a5/C00008612.png", "ArcGIS"),
        ("z17/33/x34322/22/y22949.png", "SAS.Planet"),
        ("16/000/034/322/000/022/949.png", "TileCache"),
    ],
)
def test_layouts_whose_numbers_mean_something_else_are_told_by_nearly_all_names(name: str, whose: str) -> None:
    assert whose in foreign_names([name] * 9 + ["preview.png"])
    assert foreign_names([name] * 8 + ["preview.png", "other.png"]) == ""
    assert foreign_names([]) == ""


@pytest.mark.parametrize("name", ["16/34322/22949.png", "z16/x34322/y22949.png", "L16/22949-34322.png"])
def test_names_that_a_pattern_reads_right_are_no_such_layout(name: str) -> None:
    assert foreign_names([name]) == ""


def test_databases_are_told_by_their_tables_and_columns() -> None:
    assert "GeoPackage" in foreign_tables(["gpkg_contents", "tiles"], ["zoom_level", "tile_data"])
    assert "OsmAnd" in foreign_tables(["tiles", "info"], ["x", "y", "z", "s", "image"])
    assert foreign_tables(["tiles", "info", "metadata"], ["zoom_level", "tile_column", "tile_row", "tile_data"]) == ""
