"""Files put in place of others with their size and their time, behind links and within archives, are noticed."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from indexer.building.build import build_index
from indexer.common.errors import BadSource, BuildConflict
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from indexer.tiles.sources.stamps import SourceFiles
from tests.fakes import FakeEncoder
from tests.indexer.tiles.sources.archives import write_mbtiles, write_pmtiles
from tests.indexer.tiles.sources.test_fetching_rasters import name_overviews, raw
from tests.indexer.tiny import LEFT, TOP, encoded, files_of, make_tiles
from tests.inputs.making import listed
from tests.inputs.rasters import open_raster, read_all
from tests.inputs.test_resumed_builds import (
    OPTIONS,
    SPEC,
    DyingEncoder,
    check_refused,
    check_resumed,
    interrupt,
    mosaic,
    raster,
    same_time,
)

PADDED = 20_000
"""Bytes of a picture and what comes behind it, so that all are of one size."""


def padded(seed: int) -> bytes:
    return encoded(seed).ljust(PADDED, b"\0")


def source_of(kind: str, root: Path) -> tuple[Path, Callable[[Path], object]]:
    """(a source, what writes other content of the same size in the place of its files)."""
    if kind == "mosaic":
        return mosaic(root / "tiles"), lambda path: raster(path / "5.tif", 10, 77)
    if kind in ("mbtiles", "pmtiles"):
        writer = write_mbtiles if kind == "mbtiles" else write_pmtiles
        places = [(15, LEFT + column, TOP) for column in range(12)]
        writer(root / f"a.{kind}", {place: padded(seed) for seed, place in enumerate(places)})
        other = root / f"b.{kind}"
        writer(other, {place: padded(seed + 50) for seed, place in enumerate(places)})
        return root / f"a.{kind}", lambda path: path.write_bytes(other.read_bytes())
    folder = make_tiles(root / "tiles")
    pictures = sorted(folder.rglob("*.png"))
    for seed, path in enumerate(pictures):
        path.write_bytes(padded(seed))
    if kind == "folder":
        return folder, lambda _: pictures[-1].write_bytes(padded(99))
    rows = [f"{path.relative_to(root)},47.{number},8.{number}" for number, path in enumerate(pictures)]
    (root / "list.csv").write_text("path,lat,lon\n" + "\n".join(rows) + "\n")
    return root / "list.csv", lambda _: pictures[-1].write_bytes(padded(99))


def with_old_times(path: Path, change: Callable[[Path], object]) -> None:
    """Change a source, and give all of its files the times that they had."""
    folder = path if path.is_dir() else path.parent / "tiles"
    before = {file: file.stat() for file in (path, *folder.rglob("*")) if file.is_file()}
    change(path)
    for file, stat in before.items():
        assert file.stat().st_size == stat.st_size
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("kind", ["folder", "list", "mosaic", "mbtiles", "pmtiles"])
def test_a_file_replaced_during_the_build_is_noticed_by_its_content(tmp_path: Path, kind: str) -> None:
    path, change = source_of(kind, tmp_path)
    options = SourceOptions(tile_size_m=50.0) if kind == "list" else OPTIONS
    encoder = DyingEncoder(3, lambda: with_old_times(path, change))
    with pytest.raises(BuildConflict, match="changed while the tiles were being embedded"):
        build_index(open_source(path, options), encoder, tmp_path / "index", spec=SPEC)
    assert not (tmp_path / "index").exists()


def test_rights_and_links_of_a_file_are_no_change_of_it(tmp_path: Path) -> None:
    path, _ = source_of("folder", tmp_path)
    picture = next(path.rglob("*.png"))

    def touch() -> None:
        picture.chmod(0o600)
        os.link(picture, tmp_path / "backup.png")
        copy = picture.with_name("copy")
        copy.write_bytes(picture.read_bytes())
        same_time(picture, lambda: copy.replace(picture) and None)

    build_index(open_source(path, OPTIONS), DyingEncoder(3, touch), tmp_path / "index", spec=SPEC)
    build_index(open_source(path, OPTIONS), FakeEncoder(), tmp_path / "afresh", spec=SPEC)
    assert files_of(tmp_path / "index") == files_of(tmp_path / "afresh")


def test_a_link_led_elsewhere_during_the_build_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, _ = source_of("folder", tmp_path)
    second, change = source_of("folder", tmp_path / "other")
    change(second)
    for one, other in zip(sorted(first.rglob("*.png")), sorted(second.rglob("*.png")), strict=True):
        os.utime(other, ns=(one.stat().st_atime_ns, one.stat().st_mtime_ns))
    (tmp_path / "linked").mkdir()
    link = tmp_path / "linked" / "15"
    link.symlink_to(first / "15")

    def lead_elsewhere() -> None:
        link.unlink()
        link.symlink_to(second / "15")

    encoder = DyingEncoder(3, lead_elsewhere)
    with pytest.raises(BuildConflict, match="changed while the tiles were being embedded"):
        build_index(open_source(tmp_path / "linked", OPTIONS), encoder, tmp_path / "index", spec=SPEC)


def zipped(folder: Path, seed: int) -> None:
    raster(folder / "member.tif", 0, seed, count=12)
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.write(folder / "member.tif", "member.tif")


def test_a_member_of_a_virtual_raster_that_lies_in_an_archive(tmp_path: Path) -> None:
    from rasterio.shutil import copy

    zipped(tmp_path, 1)
    copy(f"/vsizip/{tmp_path}/all.zip/member.tif", tmp_path / "all.vrt", driver="VRT")
    interrupt(tmp_path / "all.vrt", tmp_path / "index")
    zipped(tmp_path, 2)
    check_refused(tmp_path / "all.vrt", tmp_path / "index")


def test_a_virtual_raster_behind_a_link_is_read_with_its_members(tmp_path: Path) -> None:
    from rasterio.shutil import copy

    (tmp_path / "real").mkdir()
    (tmp_path / "mosaic").mkdir()
    member = raster(tmp_path / "real" / "member.tif", 0, 1, count=12)
    copy(member, tmp_path / "real" / "all.vrt", driver="VRT")
    (tmp_path / "mosaic" / "all.vrt").symlink_to("../real/all.vrt")
    interrupt(tmp_path / "mosaic", tmp_path / "index")
    same_time(member, lambda: raster(member, 0, 2, count=12) and None)
    check_refused(tmp_path / "mosaic", tmp_path / "index")


def test_a_raster_that_stac_items_name_counts_with_its_content_and_what_lies_beside_it(tmp_path: Path) -> None:
    folder = mosaic(tmp_path / "mosaic")
    items = [
        {"type": "Feature", "id": path.stem, "assets": {"visual": {"href": f"mosaic/{path.name}"}}}
        for path in sorted(folder.iterdir())
    ]
    (tmp_path / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    interrupt(tmp_path / "items.json", tmp_path / "index")
    same_time(folder / "0.tif", lambda: raster(folder / "0.tif", 0, 77) and None)
    check_resumed(tmp_path / "items.json", tmp_path / "index")
    again = tmp_path / "again" / "index"
    interrupt(tmp_path / "items.json", again)
    (folder / "0.tif.aux.xml").write_text("<PAMDataset></PAMDataset>")
    check_resumed(tmp_path / "items.json", again)


def test_an_archive_that_was_replaced_since_it_was_opened_is_not_read(tmp_path: Path) -> None:
    path, change = source_of("pmtiles", tmp_path)
    source = open_source(path)
    path.rename(tmp_path / "old.pmtiles")
    change(path)
    with pytest.raises(BadSource, match="has been replaced since it was opened"):
        source.list_tiles()
    source.close()
    assert len(listed(path).table) == 12


@pytest.mark.parametrize("form", ["{}/pixels.bin", "../elsewhere/pixels.bin"])
def test_a_raw_band_of_a_file_outside_of_the_folder_is_read_and_counts(tmp_path: Path, form: str) -> None:
    """As any other file that a virtual raster names, wherever it lies."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tiles").mkdir()
    pixels = tmp_path / "elsewhere" / "pixels.bin"
    pixels.write_bytes(bytes([77]) * 90_000)
    path = raw(tmp_path / "tiles" / "raw.vrt", form.format(pixels.parent))
    source = open_raster(path, min_valid=0.3)
    assert {int(np.median(picture)) for _, picture in read_all(source).values()} == {77}
    (before, *_) = SourceFiles(path.parent, source.list_tiles().table, source).stamped().stamp.tolist()
    same_time(pixels, lambda: pixels.write_bytes(bytes([78]) * 90_000) and None)
    source = open_raster(path, min_valid=0.3)
    files = SourceFiles(path.parent, source.list_tiles().table, source)
    assert files.stamped().stamp.tolist()[0] != before
    pixels.write_bytes(bytes([79]) * 90_000)
    with pytest.raises(BuildConflict, match=r"pixels\.bin changed while the tiles were being embedded"):
        files.require_unchanged()
    pixels.unlink()
    with pytest.raises(BadSource, match=r"is made of .*pixels\.bin, which is not there or no plain file"):
        open_raster(path)


def test_overviews_that_lie_elsewhere_count_and_are_compared(tmp_path: Path) -> None:
    (tmp_path / "tiles").mkdir()
    path = raster(tmp_path / "tiles" / "a.tif", 0, 1, count=2, side=1024)
    other = raster(tmp_path / "other.tif", 0, 2, count=2, side=256)
    with rasterio.open(other, "r+") as data:
        data.write(np.full((3, 256, 512), 250, np.uint8))
    name_overviews(path, str(other))
    source = open_raster(path)
    assert other in source.members()
    assert "other.tif shows something else than the raster itself" in " ".join(source.list_tiles().notes)
    other.unlink()
    os.mkfifo(other)
    with pytest.raises(BadSource, match=r"other\.tif is no plain file"):
        open_raster(path)
