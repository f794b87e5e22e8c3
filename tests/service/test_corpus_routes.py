"""Pictures of the corpus, also of tiles that lie on no grid."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM, seed_of, serving
from tests.service.pictures import mosaic


@pytest.fixture(scope="module")
def listed_index(tmp_path_factory):
    """Two tiles that are named by a list and lie on no grid."""
    root = tmp_path_factory.mktemp("listed")
    with (root / "tiles.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "west", "south", "east", "north"])
        for number in range(2):
            mosaic(number).save(root / f"tile {number}.png")
            west = 8.0 + 0.003 * number
            rows.writerow([f"tile {number}.png", west, 47.0, west + 0.002, 47.0014])
    source = open_source(root / "tiles.csv")
    build_index(source, FakeEncoder(), root / "index")
    source.close()
    return root / "index"


def test_tile_by_id_is_the_tile_by_its_place(client):
    name = f"{ZOOM}/{WEST_X}/{NORTH_Y}"
    by_id = client.get(f"/v1/tile/{name}")
    assert by_id.content == client.get(f"/v1/tiles/{name}").content == client.get(f"/tiles/{name}").content
    again = client.get(f"/v1/tile/{name}", headers={"If-None-Match": by_id.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["18/1/1", "nowhere", "../../etc/passwd", "%00", "18/137200", "é" * 500])
def test_absent_tile_is_a_404_problem(client, name):
    answer = client.get(f"/v1/tile/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_tile_off_the_grid_has_a_picture_at_the_address_that_its_match_names(listed_index):
    with serving(Settings(index=listed_index, workers=1, max_batch=8)) as client:
        photo = io.BytesIO()
        mosaic(1).save(photo, "PNG")
        fields = {"heading_deg": "0", "fov_deg": "360"}
        match = client.post("/v1/localize", files={"panorama": photo.getvalue()}, data=fields).json()["matches"][0]
        picture = client.get(match["image_url"])
        assert picture.status_code == 200
        assert client.get(f"/v1/tile/{match['tile_id']}").content == picture.content
        assert client.get("/v1/tilejson").status_code == 404
        assert client.get("/v1/overview.png").status_code == 200


def test_overview_shows_each_tile_where_it_lies(client):
    answer = client.get("/v1/overview.png")
    assert answer.headers["content-type"] == "image/png"
    edges = [float(edge) for edge in answer.headers["x-bounds"].split(",")]
    assert edges == pytest.approx(client.get("/v1/info").json()["overview"]["bounds"])
    shown = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"), np.float32)[..., :3]
    assert shown.shape == (1024, 1024, 3)
    for x in range(4):
        for y in range(4):
            expected = np.asarray(mosaic(seed_of(WEST_X + x, NORTH_Y + y)), np.float32)[24, 24]
            assert shown[256 * y + 128, 256 * x + 128] == pytest.approx(expected, abs=8)  # a palette
    again = client.get("/v1/overview.png", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_tilejson_is_what_a_viewer_reads(client):
    told = client.get("/v1/tilejson").json()
    assert (told["tilejson"], told["scheme"], told["minzoom"], told["maxzoom"]) == ("3.0.0", "xyz", ZOOM, ZOOM)
    address = told["tiles"][0].format(z=ZOOM, x=WEST_X, y=NORTH_Y)
    assert client.get(address).status_code == 200
