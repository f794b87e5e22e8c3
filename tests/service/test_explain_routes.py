"""Why a tile matches: over HTTP, with a real network."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from model.network.encoder import Encoder
from service.settings import Settings
from tests.indexer.bundles import write_bundle
from tests.service.conftest import serving
from tests.service.pictures import encoded, mosaic


@pytest.fixture(scope="module")
def asked(tile_folder, tmp_path_factory):
    """A client of a service with a small real network."""
    root = tmp_path_factory.mktemp("explained")
    bundle = write_bundle(root / "tiny")
    encoder = Encoder.load(bundle)
    source = open_source(tile_folder)
    build_index(source, encoder, root / "index")
    source.close()
    settings = Settings(index=root / "index", checkpoint=str(bundle), workers=1, max_batch=8)
    with serving(settings, encoder) as client:
        yield client


PHOTO = encoded(mosaic(5, side_px=128).resize((512, 128)))


def explain(client, **fields):
    return client.post("/v1/explain", files={"panorama": PHOTO}, data=fields)


@pytest.mark.parametrize("heading", ["0", "90", "unknown"])
def test_contributions_are_those_of_the_match(asked, heading):
    match = asked.post("/v1/localize", files={"panorama": PHOTO}, data={"heading_deg": heading}).json()["matches"][0]
    answer = explain(asked, tile_id=match["tile_id"], heading_deg=heading)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["score"] == pytest.approx(match["score"], abs=2e-3)  # the index keeps half precision
    assert found["heading_deg"] == match["heading_deg"]
    pairs = np.array(found["pairs"])
    assert pairs.sum() == pytest.approx(found["score"], abs=1e-5)
    for part, axis in (("photo", 1), ("tile", 0)):
        heat = found[part]["heat"]
        values = np.array(heat["values"])
        assert values.shape == (heat["rows"], heat["columns"])
        assert values.ravel() == pytest.approx(pairs.sum(axis=axis), abs=1e-6)
    assert found["lines"] == sorted(found["lines"], key=lambda line: -line["contribution"])
    assert all(0 <= share <= 1 for line in found["lines"] for share in (*line["photo"], *line["tile"]))


def test_canvas_comes_along_as_a_picture(asked):
    found = explain(asked, tile_id=_any_tile(asked), heading_deg="0").json()["photo"]
    head, _, data = found["image"].partition(",")
    assert head == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (found["width_px"], found["height_px"])


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 422),
        ({"tile_id": ""}, 422),
        ({"tile_id": "18/1/1"}, 404),
        ({"tile_id": "x" * 1001}, 422),
        ({"tile_id": "here", "heading_deg": "north"}, 422),
        ({"tile_id": "here", "fov_deg": "0"}, 422),
        ({"tile_id": "here", "top_k": "3"}, 422),
    ],
)
def test_bad_fields_are_refused_with_a_reason(asked, fields, status):
    answer = explain(asked, **fields)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_photo_that_is_none_is_refused(asked):
    answer = asked.post("/v1/explain", files={"panorama": b"no picture"}, data={"tile_id": _any_tile(asked)})
    assert answer.status_code == 422


def _any_tile(client) -> str:
    return client.post("/v1/localize", files={"panorama": PHOTO}).json()["matches"][0]["tile_id"]
