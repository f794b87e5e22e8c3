"""A Lance dataset holds every vector with its tile, and finds what the index finds."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from indexer.building.build import build_index
from indexer.common import optional
from indexer.lifecycle.export import export_index
from indexer.tiles.sources.open_source import open_source
from model.common.errors import MissingExtra, OutputExists
from model.inputs.transforms import InputSpec
from tests.fakes import FakeEncoder
from tests.indexer.lifecycle.living import opened, remove
from tests.indexer.tiny import LEFT, TOP, ZOOM, build_tiny, make_tiles, vector_of

lance = pytest.importorskip("lance")


def test_a_row_a_vector_and_a_search_like_ours(tmp_path: Path) -> None:
    inputs = InputSpec(satellite_px=32, ground_height_px=32, ground_width_px=64, anchors=3)
    source = open_source(make_tiles(tmp_path / "tiles", 3, 2))
    build_index(source, FakeEncoder(inputs=inputs), tmp_path / "index")
    remove(tmp_path / "index", ids=(f"{ZOOM}/{LEFT}/{TOP}",))
    with opened(tmp_path / "index") as index:
        assert export_index(index, "lance", tmp_path / "index.lance") == 5
        (found,) = index.search(vector_of(3), top_k=1)
        best = index.tile(int(found.rows[0]))
        point = index.point(int(found.rows[0]), int(found.anchors[0]))
        with pytest.raises(OutputExists):
            export_index(index, "lance", tmp_path / "index.lance")
    dataset = lance.dataset(str(tmp_path / "index.lance"))
    assert dataset.count_rows() == 5 * 9
    (row,) = dataset.to_table(
        nearest={"column": "vector", "q": vector_of(3)[0].astype(np.float16), "k": 1, "metric": "cosine"}
    ).to_pylist()
    assert (row["tile_id"], row["z"], row["date"]) == (best.tile_id, ZOOM, None)
    assert (row["lat"], row["lon"]) == pytest.approx((point.lat, point.lon))
    assert (row["west"], row["north"]) == pytest.approx((best.bounds.west, best.bounds.north))
    inside = dataset.to_table(filter=f"west >= {best.bounds.west - 1e-9} AND east <= {best.bounds.east + 1e-9}")
    assert set(inside["tile_id"].to_pylist()) >= {best.tile_id}


def test_dates_are_dates(tmp_path: Path) -> None:
    source = open_source(make_tiles(tmp_path / "tiles", 1, 1))
    from indexer.building.plan import BuildSpec, make_plan

    plan = make_plan(source, FakeEncoder(), tmp_path / "index", BuildSpec(), date=datetime.date(2026, 6, 1))
    build_index(source, FakeEncoder(), tmp_path / "index", plan=plan)
    with opened(tmp_path / "index") as index:
        export_index(index, "lance", tmp_path / "index.lance")
    (row,) = lance.dataset(str(tmp_path / "index.lance")).to_table().to_pylist()
    assert row["date"] == datetime.date(2026, 6, 1)


def test_without_pylance_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    index = build_tiny(tmp_path, 1, 1)
    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(MissingExtra, match=r"\[lance\]"):
        export_index(index, "lance", tmp_path / "index.lance")
    index.close()
    assert not (tmp_path / "index.lance").exists()
