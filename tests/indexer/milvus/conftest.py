"""A real collection in a file of Milvus Lite, and the folder that it was made of."""

import importlib.util
from pathlib import Path

import pytest

from indexer.confidence.calibration import Calibrations
from indexer.index.tile_index import TileIndex
from indexer.milvus.address import MilvusAddress, parse_milvus
from indexer.milvus.publish import publish_index, search_way
from tests.indexer.tiny import build_tiny


def pytest_collection_modifyitems(items) -> None:
    """Without the extra, what needs it is skipped."""
    if importlib.util.find_spec("pymilvus") is None or importlib.util.find_spec("milvus_lite") is None:
        for item in items:
            if "lite" in item.fixturenames:
                item.add_marker(pytest.mark.skip(reason="no Milvus Lite: pip install clnet-geolocalization[milvus]"))


@pytest.fixture(scope="session")
def folder_index(tmp_path_factory) -> TileIndex:
    return build_tiny(tmp_path_factory.mktemp("published"), columns=6, rows=5)


@pytest.fixture(scope="session")
def lite(tmp_path_factory, folder_index) -> MilvusAddress:
    """What was published of it."""
    address = parse_milvus(f"milvus://{tmp_path_factory.mktemp('lite')}/city.db#city")
    publish_index(folder_index, address, way=search_way("FLAT", 30), calibrations=Calibrations())
    return address


def address_beside(lite: MilvusAddress, name: str) -> MilvusAddress:
    """Another collection in the same file."""
    return parse_milvus(f"milvus://{Path(lite.uri)}#{name}")
