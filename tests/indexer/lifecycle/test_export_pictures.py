"""The archive of pictures is one that our own reader, and PMTiles' own, read back."""

import datetime
from pathlib import Path

import numpy as np
import pytest
from pmtiles.reader import MmapSource, Reader

from indexer.common.errors import BadSource
from indexer.lifecycle.export import export_index
from indexer.tiles.sources.open_source import open_source
from model.common.images import decode_image
from tests.indexer.commands.running import run
from tests.indexer.lifecycle.living import add, name_of, opened, put_tile
from tests.indexer.tiny import LEFT, TOP, ZOOM, build_tiny, encoded, picture


def test_every_place_has_its_last_picture_in_one_format(tmp_path: Path) -> None:
    build_tiny(tmp_path, 2, 2).close()
    put_tile(tmp_path / "later", 0, 0, 60).write_bytes(encoded(60, form="JPEG"))
    add(tmp_path / "index", tmp_path / "later", date=datetime.date(2026, 6, 1))
    with opened(tmp_path / "index") as index:
        assert index.count == 5
        assert export_index(index, "pmtiles", tmp_path / "all.pmtiles") == 4
        shown = index.tile_image(ZOOM, LEFT + 1, TOP)
        bounds = index.manifest.bounds
    with (tmp_path / "all.pmtiles").open("rb") as file:
        reader = Reader(MmapSource(file))
        assert shown is not None
        assert reader.get(ZOOM, LEFT + 1, TOP) == shown.data
        header = reader.header()
        assert header["tile_type"].name == "PNG"
        assert [header["min_lon_e7"], header["max_lat_e7"]] == pytest.approx(
            [bounds.west * 1e7, bounds.north * 1e7], abs=1
        )
        last = reader.get(ZOOM, LEFT, TOP)
        difference = np.asarray(decode_image(last)).astype(int) - np.asarray(picture(60))
        assert np.abs(difference).mean() < 12  # that of the JPEG, encoded anew
    source = open_source(tmp_path / "all.pmtiles")
    assert sorted(source.list_tiles().table.tile_id.tolist()) == [
        name_of(*at) for at in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    source.close()


def test_pictures_that_are_gone_are_counted_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_tiny(tmp_path, 2, 2).close()
    gone = tmp_path / "tiles" / str(ZOOM) / str(LEFT) / f"{TOP}.png"
    gone.unlink()
    command = ["export", "--index", tmp_path / "index", "--form", "pmtiles", "--out"]
    assert run(tmp_path, *command, tmp_path / "three.pmtiles") == 0
    assert "3 tiles as pmtiles; 1 other has no picture any more" in capsys.readouterr().out
    (tmp_path / "tiles").rename(tmp_path / "elsewhere")
    assert run(tmp_path, *command, tmp_path / "none.pmtiles") == 1
    assert "bring its sources back" in capsys.readouterr().err
    assert not (tmp_path / "none.pmtiles").exists()


def test_tiles_off_the_grid_are_refused(tmp_path: Path) -> None:
    from indexer.building.build import build_index
    from tests.fakes import FakeEncoder

    (tmp_path / "a.png").write_bytes(encoded(1))
    (tmp_path / "list.csv").write_text("path,west,south,east,north\na.png,8,47,8.01,47.01\n")
    build_index(open_source(tmp_path / "list.csv"), FakeEncoder(), tmp_path / "index")
    with opened(tmp_path / "index") as index, pytest.raises(BadSource, match="off the Web Mercator grid"):
        export_index(index, "pmtiles", tmp_path / "x.pmtiles")
