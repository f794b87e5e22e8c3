"""Pairs of neighbours are found among many tiles, damaged ones are passed over, and a doubt needs a clear majority."""

import io

import numpy as np
import pytest
from PIL import Image

from indexer.common.errors import BadSource
from indexer.tiles.sources.seams import doubt_of_rows
from indexer.tiles.tile_table import grid_table
from model.common.errors import BadImage
from tests.inputs.making import flipped, tiles_of_country


def corpus(tiles, damaged=()):
    """(table, reader) of tiles by their z, x, y; the reader counts its calls."""
    table = grid_table(np.array(list(tiles), np.int64), [""] * len(tiles))
    read = []

    def reader(tile):
        read.append(tile.tile_id)
        if tile.tile_id in damaged:
            raise BadImage("damaged")
        return tiles[tile.z, tile.x, tile.y]

    return table, reader, read


def south(tiles):
    return {(z, x, flipped(z, y)): data for (z, x, y), data in tiles.items()}


def test_a_few_tiles_are_read_and_each_once():
    tiles = tiles_of_country(12, 12, 16)
    table, reader, read = corpus(tiles)
    assert doubt_of_rows(table, "xyz", "auto", reader, "here") == []
    assert len(read) == len(set(read)) < 75


def test_damaged_tiles_are_passed_over():
    tiles = south(tiles_of_country(6, 6))
    damaged = {f"{z}/{x}/{y}" for z, x, y in list(tiles)[::5]}
    table, reader, _ = corpus(tiles, damaged)
    with pytest.raises(BadSource, match="scheme tms if the pictures"):
        doubt_of_rows(table, "xyz", "auto", reader, "here")
    table, reader, _ = corpus(tiles, {f"{z}/{x}/{y}" for z, x, y in tiles})
    assert doubt_of_rows(table, "xyz", "auto", reader, "here") == []


def test_half_of_the_pairs_decide_nothing():
    tiles = tiles_of_country(8, 8)
    columns = sorted({x for _, x, _ in tiles})
    lower = {tile: data for tile, data in tiles.items() if tile[1] in columns[:4]}
    upper = {tile: data for tile, data in tiles.items() if tile[1] not in columns[:4]}
    rows = [y for _, _, y in tiles]
    mirrored = {(z, x, min(rows) + max(rows) - y): data for (z, x, y), data in upper.items()}
    table, reader, _ = corpus(lower | mirrored)
    assert doubt_of_rows(table, "xyz", "auto", reader, "here") == []


def test_of_several_zooms_the_deepest_is_looked_at():
    tiles = tiles_of_country(6, 6)
    above = {(z - 1, x // 2, y // 2): data for (z, x, y), data in south(tiles).items()}
    for order in (tiles | above, above | tiles):
        table, reader, read = corpus(order)
        assert doubt_of_rows(table, "xyz", "auto", reader, "here") == []
        assert read
        assert all(name.startswith("16/") for name in read)


def test_other_schemes_are_not_doubted():
    table, reader, read = corpus(south(tiles_of_country()))
    assert doubt_of_rows(table, "quadkey", "auto", reader, "here") == []
    assert read == []


def test_water_tells_nothing():
    def sea(seed):
        buffer = io.BytesIO()
        noise = np.random.default_rng(seed).integers(100, 104, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(noise).save(buffer, "PNG")
        return buffer.getvalue()

    table, reader, _ = corpus({tile: sea(seed) for seed, tile in enumerate(tiles_of_country())})
    assert doubt_of_rows(table, "xyz", "auto", reader, "here") == []
