"""A build that is resumed never mixes: whatever a tile was read from, a change of it is noticed."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from indexer.building.build import BuildSummary, build_index
from indexer.building.plan import BuildSpec
from indexer.common.errors import BuildConflict
from indexer.tiles.sources.open_source import open_source
from indexer.tiles.sources.source import SourceOptions
from tests.fakes import FakeEncoder
from tests.indexer.tiles.sources.archives import write_mbtiles, write_pmtiles
from tests.indexer.tiny import LEFT, TOP, encoded, files_of, make_tiles
from tests.inputs.rasters import write

SPEC = BuildSpec(batch_size=2, shard_tiles=2, workers=1)
OPTIONS = SourceOptions(zoom=15)
SIDE_M = 2 * 20037508.342789244 / 2**15


class Interrupted(Exception):
    """Stands for the end of the process."""


class DyingEncoder(FakeEncoder):
    """Works for some batches, then ends the build, or changes something and goes on."""

    def __init__(self, batches: int, event: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._left = batches
        self._event = event

    def encode_satellite(self, pixels: np.ndarray) -> np.ndarray:
        if self._left == 0:
            if self._event is None:
                raise Interrupted
            self._event()
        self._left -= 1
        return super().encode_satellite(pixels)


def build(path: Path, out: Path, encoder: FakeEncoder | None = None, spec: BuildSpec = SPEC) -> BuildSummary:
    source = open_source(path, OPTIONS)
    try:
        return build_index(source, encoder or FakeEncoder(), out, spec=spec)
    finally:
        source.close()


def interrupt(path: Path, out: Path, batches: int = 4, spec: BuildSpec = SPEC) -> None:
    with pytest.raises(Interrupted):
        build(path, out, DyingEncoder(batches), spec)


def same_time(path: Path, change: Callable[[], None]) -> None:
    """Change a file and give it its old time."""
    before = path.stat()
    change()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def raster(path: Path, column: int = 0, seed: int = 0, count: int = 2, side: int = 64) -> Path:
    """Noise over some tiles of zoom 15, uncompressed, so that every seed gives the same size."""
    pixels = np.random.default_rng(seed).integers(1, 255, (3, side, side * count), dtype=np.uint8)
    west, north = (LEFT + column) * SIDE_M - 20037508.342789244, 20037508.342789244 - TOP * SIDE_M
    return write(path, pixels, crs="EPSG:3857", transform=Affine(SIDE_M / side, 0, west, 0, -SIDE_M / side, north))


def mosaic(folder: Path) -> Path:
    """Six files of two tiles each, none upon another."""
    folder.mkdir()
    for number in range(6):
        raster(folder / f"{number}.tif", 2 * number, number)
    return folder


def check_resumed(path: Path, out: Path) -> None:
    """A resumed build embeds what changed again, and gives what a new one gives."""
    summary = build(path, out)
    assert summary.resumed > 0
    assert any("embedded again" in note for note in summary.notes)
    build(path, out.with_name("afresh"))
    assert files_of(out)["embeddings.npy"] == files_of(out.with_name("afresh"))["embeddings.npy"]


def check_refused(path: Path, out: Path) -> None:
    """Nothing of the unfinished build can be used, and one line says so."""
    with pytest.raises(BuildConflict, match=r"have all changed since.*--restart"):
        build(path, out)


@pytest.mark.parametrize("keep_time", [False, True], ids=["new time", "old time and size"])
def test_a_tile_of_a_folder(tmp_path: Path, keep_time: bool) -> None:
    path = make_tiles(tmp_path / "tiles") / "15" / str(LEFT) / f"{TOP}.png"
    interrupt(tmp_path / "tiles", tmp_path / "index")
    other = encoded(99)
    size = max(len(other), path.stat().st_size)
    if keep_time:
        path.write_bytes(path.read_bytes().ljust(size, b"\0"))
        shutil.rmtree(tmp_path / ".index.partial")
        interrupt(tmp_path / "tiles", tmp_path / "index")
        same_time(path, lambda: path.write_bytes(other.ljust(size, b"\0")) and None)
    else:
        path.write_bytes(other)
    check_resumed(tmp_path / "tiles", tmp_path / "index")


def test_a_tile_that_is_added_and_one_that_is_gone(tmp_path: Path) -> None:
    folder = make_tiles(tmp_path / "tiles") / "15" / str(LEFT + 3)
    interrupt(tmp_path / "tiles", tmp_path / "index")
    (folder / f"{TOP + 2}.png").unlink()
    (folder / f"{TOP + 7}.png").write_bytes(encoded(50))
    build(tmp_path / "tiles", tmp_path / "index")
    build(tmp_path / "tiles", tmp_path / "afresh")
    assert files_of(tmp_path / "index") == files_of(tmp_path / "afresh")


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("keep_time", [False, True], ids=["new time", "old time and size"])
def test_any_file_of_a_mosaic(tmp_path: Path, number: int, keep_time: bool) -> None:
    folder = mosaic(tmp_path / "mosaic")
    interrupt(folder, tmp_path / "index", 5)
    path = folder / f"{number}.tif"
    if keep_time:
        same_time(path, lambda: raster(path, 2 * number, 100 + number) and None)
    else:
        raster(path, 2 * number, 100 + number)
    summary = build(folder, tmp_path / "index")
    build(folder, tmp_path / "afresh")
    assert files_of(tmp_path / "index") == files_of(tmp_path / "afresh")
    assert summary.resumed >= 4  # of 10 tiles, the two that the file shows are embedded again


def test_a_file_below_another_that_lets_it_show(tmp_path: Path) -> None:
    folder = mosaic(tmp_path / "mosaic")
    interrupt(folder, tmp_path / "index")
    raster(folder / "9.tif", 0, 9)  # wholly below 0.tif, which says so of all its pixels but the tile's stamp does not
    check_resumed(folder, tmp_path / "index")


def test_a_member_of_a_virtual_raster_and_of_one_in_it(tmp_path: Path) -> None:
    from rasterio.shutil import copy

    raster(tmp_path / "member.tif", 0, 1, count=12)
    copy(tmp_path / "member.tif", tmp_path / "inner.vrt", driver="VRT")
    copy(tmp_path / "inner.vrt", tmp_path / "outer.vrt", driver="VRT")
    interrupt(tmp_path / "outer.vrt", tmp_path / "index")
    same_time(tmp_path / "member.tif", lambda: raster(tmp_path / "member.tif", 0, 2, count=12) and None)
    check_refused(tmp_path / "outer.vrt", tmp_path / "index")


@pytest.mark.parametrize("suffix", [".tif.aux.xml", ".tif.ovr", ".tif.msk", ".tfw", ".prj", ".PRJ"])
def test_a_sidecar_that_appears(tmp_path: Path, suffix: str) -> None:
    folder = mosaic(tmp_path / "mosaic")
    interrupt(folder, tmp_path / "index")
    content = "<PAMDataset></PAMDataset>" if suffix.endswith("xml") else "1\n0\n0\n-1\n0\n0\n"
    if suffix in (".tif.ovr", ".tif.msk"):
        shutil.copy(folder / "5.tif", folder / f"0{suffix}")
    else:
        (folder / f"0{suffix}").write_text(content)
    check_resumed(folder, tmp_path / "index")


def test_the_scale_of_deep_values_concerns_every_tile(tmp_path: Path) -> None:
    (tmp_path / "mosaic").mkdir()
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 4000, (3, 64, 128)).astype(np.uint16)
        west = (LEFT + 2 * number) * SIDE_M - 20037508.342789244
        transform = Affine(SIDE_M / 64, 0, west, 0, -SIDE_M / 64, 20037508.342789244 - TOP * SIDE_M)
        write(tmp_path / "mosaic" / f"{number}.tif", pixels, crs="EPSG:3857", transform=transform)
    interrupt(tmp_path / "mosaic", tmp_path / "index")
    write(tmp_path / "mosaic" / "5.tif", pixels * 10, crs="EPSG:3857", transform=transform)
    check_refused(tmp_path / "mosaic", tmp_path / "index")


@pytest.mark.parametrize("kind", ["mbtiles", "pmtiles", "wal"])
def test_an_archive(tmp_path: Path, kind: str) -> None:
    tiles = {(15, LEFT + column, TOP): encoded(column) for column in range(12)}
    path = tmp_path / f"tiles.{'pmtiles' if kind == 'pmtiles' else 'mbtiles'}"
    writer = write_pmtiles if kind == "pmtiles" else write_mbtiles
    writer(path, tiles)
    database = sqlite3.connect(path) if kind == "wal" else None
    if database is not None:
        database.execute("PRAGMA journal_mode=wal")
        database.execute("PRAGMA wal_autocheckpoint=0")
    interrupt(path, tmp_path / "index")
    if database is not None:
        database.execute("UPDATE tiles SET tile_data = ? WHERE tile_column = ?", (encoded(99), LEFT))
        database.commit()  # goes to the file beside; the archive itself stays as it is
    else:
        path.unlink()
        writer(path, tiles | {(15, LEFT, TOP): encoded(99)})
    check_refused(path, tmp_path / "index")
    if database is not None:
        database.close()


@pytest.mark.parametrize("kind", ["folder", "mosaic", "list"])
def test_a_change_while_the_build_runs(tmp_path: Path, kind: str) -> None:
    folder = mosaic(tmp_path / "tiles") if kind == "mosaic" else make_tiles(tmp_path / "tiles")
    changed = folder / "0.tif" if kind == "mosaic" else folder / "15" / str(LEFT) / f"{TOP}.png"
    source = folder
    if kind == "list":
        source = tmp_path / "list.csv"
        rows = [f"{path.relative_to(tmp_path)},47.{n},8.{n}" for n, path in enumerate(sorted(folder.rglob("*.png")))]
        source.write_text("path,lat,lon\n" + "\n".join(rows) + "\n")

    def change() -> None:
        if kind == "mosaic":
            raster(changed, 0, 77)
        else:
            changed.write_bytes(encoded(77))

    options = SourceOptions(tile_size_m=50.0) if kind == "list" else OPTIONS
    with pytest.raises(BuildConflict, match=rf"{changed.name} changed while the tiles were being embedded"):
        build_index(open_source(source, options), DyingEncoder(3, change), tmp_path / "index", spec=SPEC)
    assert not (tmp_path / "index").exists()
    again = build_index(open_source(source, options), FakeEncoder(), tmp_path / "index", spec=SPEC)
    build_index(open_source(source, options), FakeEncoder(), tmp_path / "afresh", spec=SPEC)
    assert files_of(tmp_path / "index") == files_of(tmp_path / "afresh")
    assert again.resumed >= 8


def build_during(path: Path, out: Path, event: Callable[[], object]) -> BuildSummary:
    """A build during which something happens."""
    options = SourceOptions(tile_size_m=50.0) if path.suffix == ".csv" else OPTIONS
    return build_index(open_source(path, options), DyingEncoder(3, lambda: event() and None), out, spec=SPEC)


@pytest.mark.parametrize("place", [f"{LEFT}/{TOP + 9}.png", f"{LEFT - 1}/{TOP}.png"], ids=["same folder", "new one"])
def test_a_tile_that_is_added_while_the_build_runs(tmp_path: Path, place: str) -> None:
    new = make_tiles(tmp_path / "tiles") / "15" / place

    def add() -> None:
        new.parent.mkdir(exist_ok=True)
        new.write_bytes(encoded(88))

    with pytest.raises(BuildConflict, match=rf"{place} was added while the tiles were being embedded; nothing was pub"):
        build_during(tmp_path / "tiles", tmp_path / "index", add)
    assert not (tmp_path / "index").exists()
    again, afresh = build(tmp_path / "tiles", tmp_path / "index"), build(tmp_path / "tiles", tmp_path / "afresh")
    assert again.embedded == afresh.embedded == 13
    assert files_of(tmp_path / "index") == files_of(tmp_path / "afresh")


def test_a_raster_that_is_added_while_the_build_runs(tmp_path: Path) -> None:
    folder = mosaic(tmp_path / "mosaic")
    with pytest.raises(BuildConflict, match=r"6\.tif was added while the tiles .* \(one of 2 changes\)"):
        build_during(folder, tmp_path / "index", lambda: [raster(folder / f"{name}.tif", -2, 6) for name in (6, 7)])
    again, afresh = build(folder, tmp_path / "index"), build(folder, tmp_path / "afresh")
    assert again.embedded == afresh.embedded == 14
    assert again.resumed >= 8
    assert files_of(tmp_path / "index") == files_of(tmp_path / "afresh")


def test_a_row_that_is_added_to_a_list_while_the_build_runs(tmp_path: Path) -> None:
    pictures = sorted(make_tiles(tmp_path / "tiles").rglob("*.png"))
    rows = [f"{path.relative_to(tmp_path)},47.{n},8.{n}\n" for n, path in enumerate(pictures)]
    table = tmp_path / "list.csv"
    table.write_text("path,lat,lon\n" + "".join(rows[:-1]))
    with pytest.raises(BuildConflict, match=r"list\.csv changed while the tiles were being embedded; nothing"):
        build_during(table, tmp_path / "index", lambda: table.write_text(table.read_text() + rows[-1]))


def test_two_pictures_of_one_tile_that_meet_while_the_build_runs(tmp_path: Path) -> None:
    folder = make_tiles(tmp_path / "tiles") / "15" / str(LEFT)
    with pytest.raises(BuildConflict, match=rf"tiles changed \(.*2 pictures of tile 15/{LEFT}/{TOP}: .*\) while"):
        build_during(tmp_path / "tiles", tmp_path / "index", lambda: (folder / f"{TOP}.jpg").write_bytes(encoded(1)))


@pytest.mark.parametrize(
    "name", [f"15/{LEFT}/notes.txt", f"15/{LEFT}/.{TOP + 9}.png", "14/8500/5500.png", "legend.png"]
)
def test_what_is_added_and_would_not_be_indexed_is_no_change(tmp_path: Path, name: str) -> None:
    new = make_tiles(tmp_path / "tiles") / name
    new.parent.mkdir(parents=True, exist_ok=True)
    assert build_during(tmp_path / "tiles", tmp_path / "index", lambda: new.write_bytes(encoded(5))).embedded == 12


def test_nothing_changed_resumes_everything_that_was_done(tmp_path: Path) -> None:
    folder = mosaic(tmp_path / "mosaic")
    interrupt(folder, tmp_path / "index", 5)
    summary = build(folder, tmp_path / "index")
    assert summary.resumed >= 8
    assert not any("embedded again" in note for note in summary.notes)


def large_source(folder: Path, kind: str) -> tuple[Path, Path, int]:
    """(source, the file to change, a byte between the samples whose change leaves the file readable)."""
    folder.mkdir()
    if kind == "raster":
        for number in range(6):
            raster(folder / f"{number}.tif", 2 * number, number, side=1024)
        return folder, folder / "0.tif", 3_040_000
    make_tiles(folder / "tiles")
    path = folder / "tiles" / "15" / str(LEFT) / f"{TOP}.png"
    path.write_bytes(path.read_bytes().ljust(3 << 20, b"\0"))
    return folder / "tiles", path, 20_000


@pytest.mark.parametrize("kind", ["folder", "raster"])
@pytest.mark.parametrize("whole", [True, False], ids=["read whole", "sampled"])
def test_any_byte_of_a_large_source_counts_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, whole: bool
) -> None:
    monkeypatch.setattr("indexer.tiles.sources.stamps._WHOLE_BYTES", 0)
    source, path, place = large_source(tmp_path / "source", kind)
    spec = replace(SPEC, read_whole=whole)
    interrupt(source, tmp_path / "index", 5, spec)
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40
    same_time(path, lambda: path.write_bytes(data) and None)
    summary = build(source, tmp_path / "index", spec=spec)
    assert summary.resumed > 0
    assert whole == any("embedded again" in note for note in summary.notes)  # documented: samples may miss a byte


def test_how_a_source_was_looked_at_is_not_exchanged_on_the_way(tmp_path: Path) -> None:
    make_tiles(tmp_path / "tiles")
    interrupt(tmp_path / "tiles", tmp_path / "index")
    with pytest.raises(BuildConflict, match="read_whole: False -> True"):
        build(tmp_path / "tiles", tmp_path / "index", spec=replace(SPEC, read_whole=True))
