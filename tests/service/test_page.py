"""The page is served whole from this machine: its files, Leaflet's, and the photos to try."""

import re

import pytest

from service.page import sample_photos
from service.settings import Settings
from tests.service.conftest import serving
from tests.service.pictures import encoded, panorama_of

LINKED = re.compile(r'(?:href|src)="(web/[^"]+)"')
IMPORTED = re.compile(r'from "(\./[^"]+|\.\./[^"]+)"')


@pytest.fixture
def samples(tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    for name in ("2 a street.png", "1 a square.png", "3.png", "4 a fourth.png", ".hidden.png", "notes.txt"):
        (folder / name).write_bytes(encoded(panorama_of(1)))
    return folder


def test_every_file_that_the_page_names_is_served(client):
    page = client.get("/")
    assert page.headers["cache-control"] == "no-cache"
    waiting, seen = [*LINKED.findall(page.text)], set()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(f"/{address}")
        assert answer.status_code == 200, address
        if address.endswith(".js") and "leaflet" not in address:
            base = client.base_url.join(f"/{address}")
            waiting += [base.join(name).path.removeprefix("/") for name in IMPORTED.findall(answer.text)]
    assert {"web/leaflet/leaflet.js", "web/map/geometry.js"} <= seen


def test_the_page_names_nothing_elsewhere_but_links_to_click(client):
    page = client.get("/").text
    assert "//" not in page.replace("<!doctype", "")


def test_the_first_three_photos_of_a_folder_are_offered_by_name(samples, settings):
    with serving(Settings(index=settings.index, workers=1, samples=samples)) as client:
        offered = client.get("/samples").json()
        assert [one["name"] for one in offered] == ["a square", "a street", "3"]
        assert client.get(f"/{offered[1]['url']}").headers["content-type"] == "image/png"
        assert client.get("/samples/../notes.txt").status_code == 404


def test_nothing_of_the_folder_is_served_but_the_photos_that_are_offered(samples, settings, tmp_path):
    (tmp_path / "0 outside.png").write_bytes(encoded(panorama_of(1)))
    (samples / "0 outside.png").symlink_to(tmp_path / "0 outside.png")
    (samples / "0 a folder.png").mkdir()
    (samples / "0 a folder.png" / "5.png").write_bytes(encoded(panorama_of(1)))
    with serving(Settings(index=settings.index, workers=1, samples=samples)) as client:
        offered = [one["url"] for one in client.get("/samples").json()]
        assert offered == ["samples/1%20a%20square.png", "samples/2%20a%20street.png", "samples/3.png"]
        for url in offered:
            photo = client.get(f"/{url}")
            assert photo.status_code == 200
            assert client.get(f"/{url}", headers={"If-None-Match": photo.headers["etag"]}).status_code == 304
        for name in (
            "4 a fourth.png",
            "notes.txt",
            ".hidden.png",
            "0 outside.png",
            "0 a folder.png/5.png",
            "",
            "%00.png",
        ):
            assert client.get(f"/samples/{name}").status_code == 404, name
        (samples / "1 a square.png").unlink()
        assert client.get("/samples/4 a fourth.png").status_code == 200  # it is the third now


def test_a_folder_of_samples_that_is_not_there_serves_nothing(settings, tmp_path):
    with serving(Settings(index=settings.index, workers=1, samples=tmp_path / "missing")) as client:
        assert client.get("/samples").json() == []
        assert client.get("/samples/1.png").status_code == 404


def test_without_a_folder_none_is_offered(client, tmp_path):
    assert client.get("/samples").json() == []
    assert sample_photos(tmp_path / "missing") == []
