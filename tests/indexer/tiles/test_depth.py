import io

import numpy as np
from PIL import Image

from indexer.tiles.depth import probe_value_bits
from indexer.tiles.sources.open_source import open_source
from tests.indexer.tiny import make_tiles


def deep_png(greatest):
    buffer = io.BytesIO()
    values = np.linspace(0, greatest, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_deepest_tile_tells_how_many_bits_all_have(tmp_path):
    folder = make_tiles(tmp_path / "tiles", 2, 2)
    for path, greatest in zip(sorted(folder.rglob("*.png")), (900, 4_000, 1_000, 3_000), strict=True):
        path.write_bytes(deep_png(greatest))
    source = open_source(folder)
    assert probe_value_bits(source, source.list_tiles().table) == 12


def test_ordinary_pictures_have_no_such_number_and_broken_ones_are_passed_over(tmp_path):
    folder = make_tiles(tmp_path / "tiles", 2, 2)
    source = open_source(folder)
    assert probe_value_bits(source, source.list_tiles().table) is None
    first, *others = sorted(folder.rglob("*.png"))
    first.write_bytes(b"broken")
    for path in others:
        path.write_bytes(deep_png(900))
    source = open_source(folder)
    assert probe_value_bits(source, source.list_tiles().table) == 10
