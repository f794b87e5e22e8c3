"""From a photo to an answer, as a visitor meets it in a browser."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.building.build import build_index
from indexer.confidence.storage import write_calibration
from indexer.index.tile_index import TileIndex
from indexer.tiles.grid import tile_bounds
from indexer.tiles.sources.open_source import open_source
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.indexer.candidates import CALIBRATION
from tests.service.browser.conftest import site, sphere_of
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM
from tests.service.pictures import encoded, mosaic

SEED = 6
PLACE = (NORTH_Y + 1, WEST_X + 2)
"""The tile (y, x) that shows this seed."""
MOST_REQUESTS = 60


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    for number, seed in enumerate((SEED, 9, 999), start=1):
        sphere_of(seed).save(folder / f"{number} photo.png")
    return folder


@pytest.fixture(scope="module")
def plain(index_folder, samples):
    with site(Settings(index=index_folder, workers=1, samples=samples)) as address:
        yield address


@pytest.fixture(scope="module")
def calibrated(index_folder, samples, tmp_path_factory):
    folder = Path(shutil.copytree(index_folder, tmp_path_factory.mktemp("browsed") / "calibrated"))
    manifest = TileIndex.open(folder).manifest
    write_calibration(folder, replace(CALIBRATION, encoder=manifest.encoder["digest"], index=manifest.digest), b"png")
    with site(Settings(index=folder, workers=1, samples=samples)) as address:
        yield address


def coordinates(visit) -> tuple[float, float]:
    lat, south, lon, west = re.findall(
        r"([\d.]+)° ([NS]), ([\d.]+)° ([EW])", visit.page.locator("#position").inner_text()
    )[0]
    return float(lat) * (1 if south == "N" else -1), float(lon) * (1 if west == "E" else -1)


def assert_on_tile(visit) -> None:
    west, south, east, north = (float(edge) for edge in tile_bounds(ZOOM, PLACE[1], PLACE[0]))
    lat, lon = coordinates(visit)
    assert south < lat < north
    assert west < lon < east


def test_an_upload_is_placed_and_an_index_without_calibration_says_so_first(plain, visit):
    seen = visit(plain)
    seen.upload(encoded(sphere_of(SEED)))
    assert seen.verdict() == "Not calibrated"
    assert_on_tile(seen)
    assert seen.page.locator("#cards .card").count() == 6
    assert seen.page.locator("path.match").count() == 6
    assert seen.page.locator("path.circle.uncalibrated").count() >= 1


def test_a_sample_is_answered_with_few_requests_and_no_tile_before(plain, visit):
    seen = visit(plain)
    seen.page.locator(".sample").first.click()
    seen.page.wait_for_selector("#verdict")
    asked = [url.removeprefix(plain) for url in seen.requests]
    before = asked[: asked.index("localize") + 1]
    assert len(before) <= MOST_REQUESTS
    assert not [url for url in before if url.startswith("tiles/")]
    assert_on_tile(seen)
    for _ in range(3):
        seen.page.click(".leaflet-control-zoom-in")
        seen.page.wait_for_timeout(500)
    seen.page.wait_for_selector(".leaflet-tile-loaded", state="attached")
    order = "name => Number(getComputedStyle(document.querySelector(name)).zIndex)"
    assert seen.page.evaluate(order, ".leaflet-overview-pane") < seen.page.evaluate(order, ".leaflet-tile-pane")


def test_a_new_photo_takes_the_old_answer_away(plain, visit):
    seen = visit(plain)
    seen.upload(encoded(sphere_of(SEED)))
    seen.page.wait_for_selector("#verdict")
    seen.page.set_input_files("#photo", {"name": "b.png", "mimeType": "image/png", "buffer": encoded(sphere_of(9))})
    seen.page.wait_for_selector("#answer", state="hidden")
    assert seen.page.locator(".card, path.match, .pin, .leaflet-tile").count() == 0


@pytest.mark.parametrize(("seed", "said"), [(SEED, "Probably found"), (999, "Not found")])
def test_confidence_comes_first_in_words(calibrated, visit, seed, said):
    seen = visit(calibrated)
    seen.page.click("#more summary")
    seen.page.select_option("#heading-kind", "north")
    seen.upload(encoded(sphere_of(seed)))
    assert seen.verdict() == said
    answer = seen.page.locator("#answer").inner_text()
    assert answer.index(said) < answer.index("within 100\u00a0m") < answer.index("°")
    assert int(seen.page.locator("#position").evaluate("node => getComputedStyle(node).fontWeight")) < 600
    assert "0° N as you said" in answer


def test_a_question_that_was_not_calibrated_gets_no_number(calibrated, visit):
    seen = visit(calibrated)
    seen.page.click("#more summary")
    seen.page.click("#area-view")
    seen.upload(encoded(sphere_of(SEED)))
    assert seen.verdict() == "Not calibrated"


def test_what_is_no_photo_is_refused_in_plain_words(plain, chromium):
    from tests.service.browser.conftest import Visit

    seen = Visit(chromium, plain)  # a browser itself complains of a refusal, so its complaints are not looked at
    seen.upload(b"no picture", "letter.jpg")
    seen.page.wait_for_selector("#error:visible")
    said = seen.page.locator("#error").inner_text()
    assert "cannot be used" in said
    assert not re.search(r"fov_deg|heading_deg|top_k|panorama:|422", said)
    assert seen.page.locator("#verdict").count() == 0
    seen.upload(encoded(sphere_of(SEED)))
    assert seen.verdict() == "Not calibrated"
    assert seen.page.locator("#error").is_hidden()
    seen.close()


def test_tiles_that_lie_on_no_grid_are_shown_as_well(tmp_path, visit):
    lines = ["path,lat,lon,west,south,east,north"]
    for number, seed in enumerate((SEED, 1, 2)):
        mosaic(seed).save(tmp_path / f"{number}.png")
        west = 8.4 + number / 1000
        lines.append(f"{number}.png,47.0005,{west + 0.0005},{west},47.0,{west + 0.001},47.001")
    (tmp_path / "tiles.csv").write_text("\n".join(lines) + "\n")
    source = open_source(tmp_path / "tiles.csv")
    build_index(source, FakeEncoder(), tmp_path / "index")
    source.close()
    with site(Settings(index=tmp_path / "index", workers=1)) as address:
        seen = visit(address)
        seen.upload(encoded(sphere_of(SEED)))
        assert seen.verdict() == "Not calibrated"
        lat, lon = coordinates(seen)
        assert 47.0 < lat < 47.001
        assert 8.4 < lon < 8.401
        assert seen.page.locator(".card").count() == 3


def test_the_answer_is_saved_as_geojson_and_links_to_a_street_map(plain, visit):
    seen = visit(plain)
    seen.upload(encoded(sphere_of(SEED)))
    with seen.page.expect_download() as saved:
        seen.page.click("text=GeoJSON")
    features = json.loads(Path(saved.value.path()).read_text())["features"]
    assert features[-1]["properties"]["kind"] == "estimate"
    link = seen.page.locator("text=OpenStreetMap").get_attribute("href")
    assert [float(value) for value in re.findall(r"ml(?:at|on)=([-\d.]+)", link)] == pytest.approx(
        coordinates(seen), abs=1e-3
    )


def upload_way(seen, *seeds: int, step_m: int) -> None:
    photos = [
        {"name": f"{number}.png", "mimeType": "image/png", "buffer": encoded(sphere_of(seed))}
        for number, seed in enumerate(seeds)
    ]
    seen.page.set_input_files("#photo", photos)
    seen.page.locator("#more").evaluate("fold => (fold.open = true)")
    seen.page.fill("#step", str(step_m))
    seen.page.click("text=Find the way")
    seen.page.wait_for_selector("#verdict")


def test_a_leg_beyond_the_limit_is_dashed_and_its_photo_says_by_how_much(plain, visit):
    seen = visit(plain)
    upload_way(seen, 7, SEED, step_m=10)
    assert (
        "One leg is dashed on the map: it is longer than 10\u00a0m from photo to photo allow."
        in seen.page.locator(".sentence").inner_text()
    )
    first, second = seen.page.locator("#answer .stop").all()
    assert first.locator(".beyond").count() == 0
    beyond_m = int(re.fullmatch(r"(\d+)\u00a0m beyond .*", second.locator(".beyond").inner_text())[1])
    assert 50 < beyond_m < 1000  # the tiles lie side by side
    assert seen.page.locator("path.way").count() == 2
    assert seen.page.locator("path.way.beyond").count() == 1
    upload_way(seen, 7, SEED, step_m=beyond_m + 11)
    assert "dashed" not in seen.page.locator(".sentence").inner_text()
    assert seen.page.locator(".beyond").count() == 0


def test_numbers_of_two_digits_stay_on_their_marks(plain, visit):
    seen = visit(plain)
    upload_way(seen, *[SEED] * 11, step_m=400)
    assert seen.page.locator("#map .rank.used").count() == 11
    last = seen.page.locator("#map .rank.used").last
    assert last.inner_text() == "11"
    assert last.evaluate("node => [node.clientWidth, node.scrollWidth, node.scrollHeight]") == [20, 20, 20]


def test_several_photos_are_one_way(plain, visit):
    seen = visit(plain)
    photos = [
        {"name": f"{number} on the way.png", "mimeType": "image/png", "buffer": encoded(sphere_of(seed))}
        for number, seed in ((10, 7), (2, SEED), (1, 5))
    ]
    seen.page.set_input_files("#photo", photos)
    seen.page.click("#more summary")
    seen.page.fill("#step", "400")
    seen.page.click("text=Find the way")
    assert seen.verdict() == "Not calibrated"
    stops = seen.page.locator("#answer .stop").all_text_contents()
    for stop, name in zip(stops, ("11 on the way.png", "22 on the way.png", "310 on the way.png"), strict=True):
        assert stop.startswith(name)  # after its number
    assert seen.page.locator("path.way").count() == 2
    assert seen.page.locator("#map .rank").count() == 3
    seen.page.set_input_files("#photo", photos[:1])
    seen.page.wait_for_selector("#answer", state="hidden")
    assert seen.page.locator("path.way").count() == 0
    assert seen.page.locator("#send").inner_text() == "Find the place"
