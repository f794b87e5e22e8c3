from pathlib import Path

import pytest

from indexer.common.errors import NoSuchIndex
from indexer.confidence.calibration import Calibrations
from indexer.index.tile_index import TileIndex
from indexer.milvus.milvus_index import MilvusIndex
from indexer.milvus.opening import calibrations_of, open_index


def test_a_folder_or_a_collection(lite, folder_index):
    assert isinstance(open_index(folder_index.folder), TileIndex)
    for place in (lite, str(lite)):
        index = open_index(place)
        assert isinstance(index, MilvusIndex)
        assert calibrations_of(index) == Calibrations()
        index.close()


def test_a_folder_that_there_is_not_is_named(tmp_path):
    with pytest.raises(NoSuchIndex, match="no index folder"):
        open_index(Path(tmp_path / "nowhere"))


def test_an_address_that_is_none_says_why():
    with pytest.raises(ValueError, match="names the collection"):
        open_index("milvus://db/")
