"""What other programs are given."""

import datetime
import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from indexer.common.errors import BadQuery
from indexer.index.tile_index import TileIndex
from indexer.lifecycle.export import FORMS, export_index
from model.common.errors import OutputExists
from tests.indexer.lifecycle.living import add, name_of, opened, put_tile, remove
from tests.indexer.tiny import build_tiny, vector_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny(tmp_path, 2, 2).close()
    put_tile(tmp_path / "later", 0, 0, 60)
    add(tmp_path / "index", tmp_path / "later", date=datetime.date(2026, 6, 1))
    remove(tmp_path / "index", ids=(name_of(1, 1),))
    return tmp_path / "index"


def test_footprints_and_vectors_come_in_one_order(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as index:
        assert export_index(index, "geojson", tmp_path / "tiles.json") == 4
        assert export_index(index, "npy", tmp_path / "vectors.npy") == 4
        features = json.loads((tmp_path / "tiles.json").read_bytes())["features"]
        vectors = np.load(tmp_path / "vectors.npy")
        assert vectors.shape == (4, 27)
        assert [one["id"] for one in features].count(name_of(0, 0)) == 2
        assert [one["properties"]["date"] for one in features] == [None] * 3 + ["2026-06-01"]
        assert float(vectors[3].astype(np.float32) @ vector_of(60)[0]) > 0.99
        bounds = index.tile(int(index.segments[0].live_rows[0])).bounds
        assert features[0]["bbox"] == list(bounds.as_tuple())
        ring = np.array(features[0]["geometry"]["coordinates"][0])
        assert ring[0].tolist() == ring[-1].tolist() == [bounds.west, bounds.south]
        with pytest.raises(OutputExists):
            export_index(index, "npy", tmp_path / "vectors.npy")


def test_a_geopackage_is_read_back(folder: Path, tmp_path: Path) -> None:
    pyogrio = pytest.importorskip("pyogrio")
    with opened(folder) as index:
        export_index(index, "gpkg", tmp_path / "tiles.gpkg")
        info = pyogrio.read_info(tmp_path / "tiles.gpkg", layer="tiles")
        assert (info["features"], info["geometry_type"], info["crs"]) == (4, "Polygon", "EPSG:4326")
        assert tuple(info["total_bounds"]) == pytest.approx(index.manifest.bounds.as_tuple())


def test_the_collection_says_what_and_when(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as index:
        export_index(index, "stac", tmp_path / "collection.json")
        found = json.loads((tmp_path / "collection.json").read_bytes())
        assert found["extent"]["temporal"]["interval"] == [["2026-06-01T00:00:00Z", "2026-06-01T23:59:59Z"]]
        assert found["extent"]["spatial"]["bbox"] == [pytest.approx(index.manifest.bounds.as_tuple())]
        for place in (
            tmp_path / "collection.json",
            tmp_path / "far off" / "collection.json",
            folder / "collection.json",
        ):
            place.parent.mkdir(exist_ok=True)
            if not place.exists():
                export_index(index, "stac", place)
            links = [asset["href"] for asset in json.loads(place.read_bytes())["assets"].values()]
            assert len(links) == 4
            assert all((place.parent / unquote(link)).is_file() for link in links), place
        assert (found["emb:dimensions"], found["data_type"]) == (27, "float16")
        assert found["emb:chip_layout"] == {"layout_type": "regular_grid"}
        assert [link["rel"] for link in found["links"]] == ["emb:model", "emb:source-data", "emb:source-data"]
    assert sorted(FORMS) == ["geojson", "gpkg", "lance", "npy", "pmtiles", "stac"]


def test_only_imagery_since_a_date_is_opened(folder: Path) -> None:
    index = TileIndex.open(folder, since=datetime.date(2026, 1, 1))
    (result,) = index.search(vector_of(60), top_k=9)
    assert (index.count, len(result.rows)) == (1, 1)
    assert index.tile(0).date == "2026-06-01"
    assert index.is_current
    index.close()
    with pytest.raises(BadQuery, match=r"no imagery since 2027-01-01; it has imagery of 2026-06-01, no date"):
        TileIndex.open(folder, since=datetime.date(2027, 1, 1))
