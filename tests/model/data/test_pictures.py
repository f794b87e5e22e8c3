import threading

import numpy as np
import pytest
from PIL import Image

from model.common.errors import BadImage
from model.data.manifest import read_manifest
from model.data.pairs import Reference
from model.data.pictures import load_query, load_reference, load_wide_reference, view_batches
from tests.model.tiny import INPUTS, write_pairs


@pytest.fixture
def pairs(tmp_path):
    return read_manifest(write_pairs(tmp_path))


@pytest.mark.parametrize("workers", [0, 3])
def test_views_come_in_order(pairs, workers):
    batches = list(view_batches(pairs.references, load_reference, INPUTS, batch=4, workers=workers))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert np.array_equal(batches[1][0], load_reference(pairs.references[4], INPUTS))
    assert load_query(pairs.queries[0], INPUTS).shape == (32, 64, 3)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_picture_is_named_whoever_read_it(pairs, workers):
    pairs.queries[5].path.write_bytes(b"no picture")
    with pytest.raises(BadImage, match=r"pano5\.png is not a JPEG"):
        list(view_batches(pairs.queries, load_query, INPUTS, batch=2, workers=workers))


def test_threads_end_with_the_reader_that_stops_early(pairs):
    batches = view_batches(pairs.references, load_reference, INPUTS, batch=1, workers=2)
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_a_tile_with_a_margin_is_evaluated_without_it(tmp_path):
    wide = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    Image.fromarray(wide[16:80, 16:80]).save(tmp_path / "tile.png")
    reference = Reference(tmp_path / "wide.png", margin=0.25)
    tile, kept = load_reference(reference, INPUTS), load_wide_reference(reference, INPUTS)
    assert (tile.shape, kept.shape) == ((32, 32, 3), (48, 48, 3))
    plain = load_reference(Reference(tmp_path / "tile.png"), INPUTS)
    assert np.array_equal(tile[1:-1, 1:-1], plain[1:-1, 1:-1])  # only the outermost pixels see beyond
    assert np.array_equal(kept[8:40, 8:40], tile)
