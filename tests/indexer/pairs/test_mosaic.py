from pathlib import Path

import numpy as np
import pytest

from indexer.pairs.mosaic import Mosaic
from indexer.tiles.grid import tile_bounds
from indexer.tiles.sources.open_source import open_source
from model.common.geo import LatLon
from model.inputs.transforms import NEUTRAL
from tests.indexer.pairs.city import LEFT, TOP, ZOOM, city_tiles, spot
from tests.indexer.tiny import picture


@pytest.fixture
def mosaic(tmp_path: Path) -> Mosaic:
    return Mosaic(open_source(city_tiles(tmp_path / "tiles", 4, 3)))


def centre_of(column: int, row: int) -> LatLon:
    west, south, east, north = (float(edge) for edge in tile_bounds(ZOOM, LEFT + column, TOP + row))
    return LatLon((south + north) / 2, (west + east) / 2)


def test_a_square_at_a_tiles_centre_is_that_tile(mosaic: Mosaic) -> None:
    row = mosaic.tile_at(centre_of(2, 1))
    assert row is not None
    cut = mosaic.cut(centre_of(2, 1), mosaic.side_m(row), 48)
    assert cut.covered == 1.0
    assert np.abs(np.asarray(cut.picture).astype(int) - np.asarray(picture(2 * 3 + 1)).astype(int)).max() <= 1


def test_a_square_between_tiles_shows_each_where_it_lies(mosaic: Mosaic) -> None:
    west, _, _, north = (float(edge) for edge in tile_bounds(ZOOM, LEFT + 1, TOP + 1))
    cut = np.asarray(mosaic.cut(LatLon(north, west), mosaic.side_m(0), 48).picture)
    for rows, columns, number, part in (
        (slice(0, 24), slice(0, 24), 0, np.s_[24:, 24:]),
        (slice(0, 24), slice(24, 48), 3, np.s_[24:, :24]),
        (slice(24, 48), slice(0, 24), 1, np.s_[:24, 24:]),
        (slice(24, 48), slice(24, 48), 4, np.s_[:24, :24]),
    ):
        own = np.asarray(picture(number)).astype(int)[part]
        assert np.abs(cut[rows, columns].astype(int) - own)[2:-2, 2:-2].mean() < 2.0


def test_what_no_tile_shows_is_neutral_and_not_counted(mosaic: Mosaic) -> None:
    corner = LatLon(float(tile_bounds(ZOOM, LEFT, TOP)[3]), float(tile_bounds(ZOOM, LEFT, TOP)[0]))
    cut = mosaic.cut(corner, mosaic.side_m(0), 64)
    assert cut.covered == pytest.approx(0.25, abs=0.02)
    assert (np.asarray(cut.picture)[:30, :30] == NEUTRAL).all()
    assert mosaic.tile_at(spot(-200.0, 50.0)) is None
    assert mosaic.cut(spot(-5_000.0, 50.0), mosaic.side_m(0), 64).covered == 0.0


def test_a_damaged_tile_is_a_hole(tmp_path: Path) -> None:
    tiles = city_tiles(tmp_path / "tiles", 4, 3)
    (tiles / str(ZOOM) / str(LEFT + 2) / f"{TOP + 1}.png").write_bytes(b"\x89PNG broken")
    mosaic = Mosaic(open_source(tiles))
    row = mosaic.tile_at(centre_of(2, 1))
    assert row is not None
    assert mosaic.picture(row) is None
    assert mosaic.cut(centre_of(2, 1), mosaic.side_m(row), 48).covered == 0.0


def test_tiles_are_found_over_the_antimeridian(tmp_path: Path) -> None:
    from tests.indexer.tiny import make_tiles

    side = 1 << 10
    make_tiles(tmp_path / "t", 1, 1, 10, left=side - 1, top=500)
    make_tiles(tmp_path / "t", 1, 1, 10, left=0, top=500)
    mosaic = Mosaic(open_source(tmp_path / "t"))
    middle = LatLon(float(np.mean([float(tile_bounds(10, 0, 500)[edge]) for edge in (1, 3)])), 180.0)
    cut = mosaic.cut(middle, mosaic.side_m(0), 48)
    assert cut.covered == 1.0
    assert np.abs(np.asarray(cut.picture)[:, :24].astype(int) - np.asarray(picture(0))[:, 24:]).mean() < 2.0
