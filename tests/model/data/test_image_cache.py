import os
from dataclasses import replace

import numpy as np
import pytest

from model.common.errors import BadDataset, BadImage
from model.data import image_cache as decoded
from model.data.image_cache import ensure_decoded
from model.data.manifest import read_manifest
from model.data.pictures import PictureFiles
from tests.model.tiny import INPUTS, write_pairs


@pytest.fixture
def pairs(tmp_path):
    (tmp_path / "data").mkdir()
    pairs = read_manifest(write_pairs(tmp_path / "data"))
    wide = replace(pairs.references[0], margin=0.25)
    return replace(pairs, references=(wide, *pairs.references[1:]))


def test_they_are_what_decoding_on_demand_gives_whatever_margin_each_tile_has(tmp_path, pairs):
    kept, files = ensure_decoded(pairs, INPUTS, tmp_path / "cache", workers=1), PictureFiles(pairs, INPUTS)
    for row in range(len(pairs.queries)):
        assert np.array_equal(kept.query(row), files.query(row))
    for row in range(len(pairs.references)):
        assert np.array_equal(kept.reference(row), files.reference(row))
    assert kept.reference(0).shape == (48, 48, 3)


def test_they_are_decoded_again_only_when_a_file_or_a_size_changes(tmp_path, pairs):
    cache = tmp_path / "cache"
    first = ensure_decoded(pairs, INPUTS, cache, workers=1)
    assert ensure_decoded(pairs, replace(INPUTS, mean=(0.0, 0.0, 0.0)), cache, workers=1) == first
    assert ensure_decoded(pairs, replace(INPUTS, satellite_px=40), cache, workers=1).folder != first.folder
    os.utime(pairs.queries[0].path, ns=(1, 1))
    assert ensure_decoded(pairs, INPUTS, cache, workers=1).folder != first.folder


def test_a_broken_picture_is_named_and_leaves_nothing(tmp_path, pairs):
    pairs.queries[3].path.write_bytes(b"no picture")
    with pytest.raises(BadImage, match=r"pano3\.png is not a JPEG, PNG, WebP, TIFF"):
        ensure_decoded(pairs, INPUTS, tmp_path / "cache", workers=1)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_disk_without_room_is_refused_before_the_first_picture(tmp_path, pairs, monkeypatch):
    monkeypatch.setattr(decoded, "_SPARE_BYTES", 1 << 62)
    with pytest.raises(BadDataset, match=r"free; make room, or set data\.cache to false"):
        ensure_decoded(pairs, INPUTS, tmp_path / "cache", workers=1)
