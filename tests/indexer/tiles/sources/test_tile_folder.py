from pathlib import Path

import mercantile
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.tile_folder import FolderSource
from tests.indexer.tiny import LEFT, TOP, encoded, make_tiles


def listed(folder: Path, **options: object) -> list[str]:
    return FolderSource(folder, SourceOptions(**options)).list_tiles().table.tile_id.tolist()  # type: ignore[arg-type]


def write(path: Path, data: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_an_xyz_folder_is_listed_with_sizes_and_bounds(tmp_path: Path) -> None:
    table = FolderSource(make_tiles(tmp_path, 2, 2), SourceOptions()).list_tiles().table
    assert table.tile_id.tolist() == [f"15/{LEFT + x}/{TOP + y}" for x in range(2) for y in range(2)]
    assert table.size_bytes.tolist() == [len(encoded(seed)) for seed in range(4)]
    assert table.record(1).bounds.as_tuple() == pytest.approx(tuple(mercantile.bounds(LEFT, TOP + 1, 15)), abs=1e-12)


def test_a_link_to_nothing_fails_as_one_tile_and_not_the_listing(tmp_path: Path) -> None:
    folder = make_tiles(tmp_path, 1, 1)
    (folder / "15" / str(LEFT) / f"{TOP + 1}.png").symlink_to("gone.png")
    source = FolderSource(folder, SourceOptions())
    table = source.list_tiles().table
    assert table.tile_id.tolist() == [f"15/{LEFT}/{TOP}", f"15/{LEFT}/{TOP + 1}"]
    with pytest.raises(FileNotFoundError):
        source.read(table.record(1))


def test_tms_counts_rows_from_the_south(tmp_path: Path) -> None:
    write(tmp_path / "3" / "2" / "7.png")
    assert listed(tmp_path) == ["3/2/7"]
    assert listed(tmp_path, scheme="tms") == ["3/2/0"]


def test_quadkey_names_are_recognised(tmp_path: Path) -> None:
    tiles = [(17_000, 11_000), (17_001, 11_000)]
    for x, y in tiles:
        write(tmp_path / f"{mercantile.quadkey(x, y, 15)}.jpg")
    assert sorted(listed(tmp_path)) == [f"15/{x}/{y}" for x, y in tiles]


def test_every_suffix_of_a_picture_counts_and_others_do_not(tmp_path: Path) -> None:
    for y, suffix in enumerate(("png", "jpg", "JPEG", "webp", "txt", "tif.aux.xml")):
        write(tmp_path / "15" / "3" / f"{y}.{suffix}")
    assert listed(tmp_path) == [f"15/3/{y}" for y in range(4)]


def test_pictures_that_name_no_tile_are_ignored_and_said(tmp_path: Path) -> None:
    make_tiles(tmp_path, 1, 1)
    write(tmp_path / "preview.png")
    write(tmp_path / "2" / "9" / "0.png")  # x beyond the grid
    listing = FolderSource(tmp_path, SourceOptions()).list_tiles()
    assert len(listing.table) == 1
    assert "2 pictures name no tile and are ignored" in listing.notes[0]


def test_a_tile_given_twice_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "15" / "3" / "4.png")
    write(tmp_path / "15" / "3" / "4.jpg")
    with pytest.raises(BadSource, match=r"2 pictures of tile 15/3/4: 15/3/4.jpg, 15/3/4.png"):
        listed(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"holds no \.png"):
        listed(tmp_path)


def test_a_zoom_folder_without_its_parent_is_an_error_that_says_so(tmp_path: Path) -> None:
    write(tmp_path / "17000" / "11000.png")
    with pytest.raises(BadSource, match="give the folder above the zoom folders"):
        listed(tmp_path)


def test_reading_gives_the_files_bytes(tmp_path: Path) -> None:
    source = FolderSource(make_tiles(tmp_path, 1, 2), SourceOptions())
    assert source.read(source.list_tiles().table.record(1)) == encoded(1)
