"""A real panorama against an index of real tiles."""

import pytest

from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import serving


@pytest.fixture(scope="module")
def real_index(shared_data, tmp_path_factory):
    out = tmp_path_factory.mktemp("real") / "mount-whitney"
    source = open_source(shared_data / "pmtiles" / "usgs-mt-whitney-z8-15.pmtiles")
    build_index(source, FakeEncoder(), out)
    source.close()
    return out


@pytest.mark.parametrize("heading", ["0", "unknown"])
def test_real_panorama_is_answered_in_the_contracts_form(shared_data, real_index, heading):
    photo = (shared_data / "panoramas" / "jordan_pond_4096x2048.jpg").read_bytes()
    with serving(Settings(index=real_index)) as client:
        response = client.post(
            "/localize", files={"panorama": ("pond.jpg", photo, "image/jpeg")}, data={"heading_deg": heading}
        )
        assert response.status_code == 200, response.text
        answer = response.json()
        assert len(answer["matches"]) == 5
        best = answer["matches"][0]
        west, south, east, north = best["bounds"]
        assert west < best["lon"] < east
        assert south < best["lat"] < north
        assert -1 <= best["score"] <= 1
        assert answer["estimate"]["radius_m"] > 0
        assert client.get(best["image_url"]).headers["content-type"].startswith("image/")
        assert best["tile_id"] == best["image_url"].removeprefix("/tiles/")
