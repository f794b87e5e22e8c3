"""Pipes and devices in the place of files: refused at once, since a program would wait for them for ever."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.common.errors import BadSource
from indexer.localization.photo_list import PhotoRequest, list_photos
from indexer.pairs.photos import find_photos
from indexer.tiles.areas import read_area
from indexer.tiles.sources.open_source import open_source
from model.common.errors import BadCheckpoint, NotPlainFile
from model.common.images import decode_image
from model.inputs.photo_metadata import read_photo_metadata, read_photo_position
from model.inputs.photo_view import GivenView
from model.network.checkpoints import read_weights
from tests.inputs.making import ZXY, listed, write_folder, write_mbtiles
from tests.inputs.rasters import open_raster
from tests.inputs.test_raster_units import FIRST, place, virtual, write

Endless = Callable[[Path], Path]


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """A test that waits is one that fails."""

    def give_up(*_: object) -> None:
        raise TimeoutError("it waited for a pipe")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


either = pytest.mark.parametrize("endless", [pipe, device])


@either
def test_a_photo(tmp_path: Path, endless: Endless) -> None:
    photo = endless(tmp_path / "photo.jpg")
    for read in (decode_image, read_photo_metadata, read_photo_position):
        with pytest.raises(NotPlainFile, match=r"photo\.jpg is no plain file"):
            read(photo)


@either
def test_tables_of_photos(tmp_path: Path, endless: Endless) -> None:
    table = endless(tmp_path / "photos.csv")
    with pytest.raises(NotPlainFile):
        list_photos([table], PhotoRequest(Path()))
    with pytest.raises(NotPlainFile):
        find_photos(table, GivenView())


@either
@pytest.mark.parametrize("name", ["t.csv", "t.tif", "t.vrt", "t.mbtiles", "t.pmtiles", "t.json", "t.parquet", "t"])
def test_a_tile_source(tmp_path: Path, endless: Endless, name: str) -> None:
    with pytest.raises(BadSource, match="no plain file but a pipe or a device"):
        open_source(endless(tmp_path / name))


@either
@pytest.mark.parametrize("name", ["tilemapresource.xml", "metadata.json", "openlayers.html"])
def test_a_description_beside_tiles_is_left_aside(tmp_path: Path, endless: Endless, name: str) -> None:
    write_folder(tmp_path, lambda z, x, y: f"{z}/{x}/{y}.png")
    endless(tmp_path / name)
    assert len(listed(tmp_path).table) == len(ZXY)


@either
@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_file_beside_mbtiles(tmp_path: Path, endless: Endless, suffix: str) -> None:
    path = write_mbtiles(tmp_path / "a.mbtiles", [(1, 0, 0)])
    endless(tmp_path / f"a.mbtiles{suffix}")
    with pytest.raises(NotPlainFile, match=suffix):
        listed(path)


@either
@pytest.mark.parametrize("name", ["a.tif.aux.xml", "a.tif.msk", "a.tif.ovr", "a.tfw", "a.prj", "a_RPC.TXT"])
def test_a_sidecar_of_a_raster_and_of_a_member(tmp_path: Path, endless: Endless, name: str) -> None:
    pixels = np.random.default_rng(0).integers(1, 255, (1, 256, 256), dtype=np.uint8)
    write(tmp_path / "a.tif", pixels, **place(FIRST))
    endless(tmp_path / name)
    with pytest.raises(BadSource, match=rf"{name} is no plain file"):
        open_raster(tmp_path / "a.tif")
    with pytest.raises(BadSource, match=r"a\.tif, which is not there or no plain file"):
        open_raster(virtual(tmp_path / "all.vrt", "a.tif", "a.tif"))


@either
def test_a_member_of_a_virtual_raster(tmp_path: Path, endless: Endless) -> None:
    endless(tmp_path / "m.tif")
    with pytest.raises(BadSource, match=r"all\.vrt is made of m\.tif, which is not there or no plain file"):
        open_raster(virtual(tmp_path / "all.vrt", "m.tif", "m.tif"))


@either
def test_weights(tmp_path: Path, endless: Endless) -> None:
    with pytest.raises(BadCheckpoint, match="no plain file"):
        read_weights(endless(tmp_path / "w.pth"), remedy="give another")


def test_an_area_may_come_through_a_pipe_but_not_from_a_device(tmp_path: Path) -> None:
    with pytest.raises(NotPlainFile):
        read_area(device(tmp_path / "zero.geojson"))
    path = pipe(tmp_path / "area.geojson")
    square = '{"type": "Polygon", "coordinates": [[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]]}'
    writer = threading.Thread(target=path.write_text, args=(square,), daemon=True)
    writer.start()
    assert read_area(path)
    writer.join()
