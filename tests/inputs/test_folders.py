"""Folders as they lie on disks: links, strays, and names that look like something else."""

import os
from pathlib import Path

import mercantile
import pytest

from indexer.common.errors import BadSource
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from model.common.errors import BadImage
from tests.indexer.tiles.sources.rasters import write_raster
from tests.inputs.making import LEFT, TOP, ZOOM, ZXY, listed, names_of, write_folder, write_tile

NAMES = sorted(f"{z}/{x}/{y}" for z, x, y in ZXY)


def xyz_name(z: int, x: int, y: int) -> str:
    return f"{z}/{x}/{y}.png"


@pytest.mark.parametrize("target", [".", "..", f"{ZOOM}"])
def test_a_link_round_in_a_circle_is_not_followed(tmp_path: Path, target: str) -> None:
    folder = write_folder(tmp_path / "tiles", xyz_name)
    (folder / "latest").symlink_to(target)
    listing = listed(folder)
    assert sorted(listing.table.tile_id) == NAMES
    assert any("seen before" in note and "latest" in note for note in listing.notes)


def test_a_link_to_a_folder_above_does_not_bring_in_what_lies_beside(tmp_path: Path) -> None:
    write_folder(tmp_path / "other", lambda z, x, y: f"{z}/{x}/{y}.png")
    root = write_folder(tmp_path / "below" / "tiles", lambda z, x, y: f"{z}/{x}/{y}.png")
    (root / "up").symlink_to("..")
    (root / "far").symlink_to(tmp_path)
    listing = listed(root)
    assert len(listing.table) == 4
    assert any("2 links lead to folders seen before" in note for note in listing.notes)
    assert not any("name no tile" in note for note in listing.notes)


def test_links_that_double_at_every_level_are_entered_once(tmp_path: Path) -> None:
    write_folder(tmp_path, xyz_name)
    for level in range(40):
        (tmp_path / f"d{level}").mkdir()
        for side in "ab":
            (tmp_path / f"d{level}" / side).symlink_to(f"../d{level + 1}")
    assert names_of(tmp_path) == NAMES


def test_a_zoom_folder_that_is_a_link_is_read(tmp_path: Path) -> None:
    write_folder(tmp_path / "disk", xyz_name)
    (tmp_path / "tiles").mkdir()
    (tmp_path / "tiles" / str(ZOOM)).symlink_to(tmp_path / "disk" / str(ZOOM))
    assert names_of(tmp_path / "tiles") == NAMES


def test_a_raster_beside_the_zoom_folders_is_named_and_left(tmp_path: Path) -> None:
    write_folder(tmp_path, xyz_name)
    write_raster(tmp_path / "ortho.tif")
    listing = listed(tmp_path)
    assert sorted(listing.table.tile_id) == NAMES
    assert any(note.startswith("warning: ortho.tif beside the tiles is ignored") for note in listing.notes)


def test_pictures_beside_rasters_do_not_hide_them(tmp_path: Path) -> None:
    write_raster(tmp_path / "ortho.tif")
    for name in ("preview.png", "1.png", "20230101.png"):
        write_tile(tmp_path / name)
    source = open_source(tmp_path)
    assert source.kind == "raster"
    source.close()


def test_a_cache_whose_parts_are_of_the_digits_0_to_3_is_not_taken_for_quadkeys(tmp_path: Path) -> None:
    for last in ("123", "124", "125"):
        write_tile(tmp_path / "17" / "000" / "123" / "123" / "000" / "123" / f"{last}.png")
    with pytest.raises(BadSource, match="named as in TileCache"):
        listed(tmp_path)


@pytest.mark.parametrize("names", [["1", "2", "3"], ["20230101", "20230102"], ["000", "001", "002", "003"]])
def test_numbers_and_dates_are_not_quadkeys_unless_that_is_said(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        write_tile(tmp_path / f"{name}.png")
    with pytest.raises(BadSource, match="quadkey"):
        listed(tmp_path)
    assert len(listed(tmp_path, scheme="quadkey", zoom=len(names[0])).table) == len(names)


def test_quadkeys_are_placed_and_one_stray_does_not_hide_them(tmp_path: Path) -> None:
    write_folder(tmp_path, lambda z, x, y: f"{mercantile.quadkey(x, y, z)}.png")
    write_tile(tmp_path / "1" / "0" / "0.png")
    listing = listed(tmp_path)
    assert sorted(listing.table.tile_id) == NAMES
    assert any("1 picture names no tile" in note and "1/0/0.png" in note for note in listing.notes)


def test_a_name_that_is_no_text_is_ignored_and_shown_as_far_as_it_can_be(tmp_path: Path) -> None:
    write_folder(tmp_path, xyz_name)
    for name in (b"Z\xfcrich.png", b"two\nlines.png"):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(b"x")
    listing = listed(tmp_path)
    assert sorted(listing.table.tile_id) == NAMES
    assert "2 pictures name no tile and are ignored" in "".join(listing.notes)
    "".join(listing.notes).encode()


def test_a_folder_without_pictures_names_the_archive_in_it(tmp_path: Path) -> None:
    (tmp_path / "region.mbtiles").write_bytes(b"x")
    with pytest.raises(BadSource, match=r"holds no \.png.*region\.mbtiles"):
        listed(tmp_path)


def test_pictures_with_world_files_are_said_to_be_such(tmp_path: Path) -> None:
    write_tile(tmp_path / "dop_32_464_5246.jpg")
    (tmp_path / "dop_32_464_5246.jgw").write_text("1\n0\n0\n-1\n464000.5\n5246299.5\n")
    with pytest.raises(BadSource, match=r"1 picture with world files .*dop_32_464_5246\.jpg\); make a virtual raster"):
        listed(tmp_path)


def test_a_pattern_that_fits_no_name_is_said(tmp_path: Path) -> None:
    write_folder(tmp_path, xyz_name)
    with pytest.raises(BadSource, match=r"none named as --scheme \{z\}_\{x\}_\{y\}\.png says"):
        listed(tmp_path, scheme="{z}_{x}_{y}.png")


def test_a_scheme_for_a_list_or_a_raster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,lat,lon\na.png,47,8\n")
    with pytest.raises(BadSource, match="has no rows of tiles"):
        listed(tmp_path / "list.csv", scheme="tms", tile_size_m=50.0)


def test_names_outside_the_grid_are_counted(tmp_path: Path) -> None:
    write_folder(tmp_path, xyz_name)
    write_tile(tmp_path / str(ZOOM) / str(LEFT) / f"{1 << ZOOM}.png")
    listing = listed(tmp_path)
    assert len(listing.table) == 4
    assert any(f"{ZOOM}/{LEFT}/{1 << ZOOM}.png" in note for note in listing.notes)
    assert TOP < 1 << ZOOM


def test_digits_of_other_scripts_name_no_tile(tmp_path: Path) -> None:
    write_tile(tmp_path / "16" / "3" / "4.png")
    write_tile(tmp_path / "\uff11\uff16" / "\uff13" / "\uff15.png")
    assert names_of(tmp_path) == ["16/3/4"]


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "tiles", lambda z, x, y: f"{z}/{x}/{y}.png")
    os.mkfifo(root / "16" / "34322" / "9.png")
    (root / "16" / "34322" / "8.png").symlink_to("/dev/zero")
    listing = listed(root)
    assert len(listing.table) == 4
    assert any("2 pictures name no tile and are ignored" in note for note in listing.notes)
    with pytest.raises(BadSource, match="is no plain file but a pipe or a device"):
        listed(root / "16" / "34322" / "9.png")


def test_a_list_of_pipes_and_devices_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "tiles.csv").write_text("path,lat,lon\npipe.png,47.1,8.5\n/dev/zero,47.2,8.5\n")
    source = open_source(tmp_path / "tiles.csv", SourceOptions(tile_size_m=100.0))
    listing = source.list_tiles()
    assert any("2 of the listed files do not exist, or are no plain files" in note for note in listing.notes)
    for row in range(2):
        with pytest.raises(BadImage, match="is no plain file"):
            source.read(listing.table.record(row))
