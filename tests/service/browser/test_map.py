"""What the map does beside showing an answer: areas, arrows, shared places, keys; and that nobody is kept out."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from service.settings import Settings
from tests.service.browser.conftest import DESKTOP, PATIENCE_MS, PHONE, site, sphere_of
from tests.service.pictures import encoded

PHOTO = encoded(sphere_of(6))


@pytest.fixture(scope="module")
def address(index_folder, tmp_path_factory):
    samples = tmp_path_factory.mktemp("samples")
    for number, name in ((1, "photo"), (2, "photo"), (3, "photo_" + "with_a_long_name_" * 4)):
        sphere_of(number).save(samples / f"{number} {name}.png")
    with site(Settings(index=index_folder, workers=1, samples=samples)) as found:
        yield found


def test_a_circle_drawn_on_the_map_limits_the_search(address, visit):
    seen = visit(address)
    page = seen.page
    page.wait_for_selector("path.edge")
    page.click("#more summary")
    page.click("#area-draw")
    box = page.locator("path.edge").bounding_box()
    x, y = box["x"] + box["width"] / 8, box["y"] + box["height"] / 8  # the north-western tile
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 16, y, steps=4)
    page.mouse.up()
    assert page.locator("#area-text").inner_text().startswith("Within ")
    assert page.locator("path.area").count() == 1
    seen.upload(PHOTO)
    page.wait_for_selector("#verdict")
    assert page.locator(".card").count() == 1
    page.click("#area-clear")
    assert page.locator("path.area").count() == 0
    seen.page.click("#send:enabled")
    expect(page.locator(".card")).to_have_count(6, timeout=PATIENCE_MS)


def test_rivals_outside_of_the_map_are_pointed_to(address, visit):
    seen = visit(address)
    seen.upload(PHOTO)
    page = seen.page
    page.wait_for_selector("#verdict")
    page.locator("#map").focus()
    for _ in range(3):
        page.keyboard.press("+")
        page.wait_for_timeout(500)
    page.wait_for_selector("#rim .arrow")
    arrow = page.locator("#rim .arrow").first
    rank = arrow.inner_text()
    arrow.press("Enter")
    expect(page.locator("#rim .arrow", has_text=rank)).to_have_count(0, timeout=PATIENCE_MS)


def test_a_shared_place_is_shown_without_a_photo(address, visit):
    bounds = visit(address)
    bounds.upload(PHOTO)
    bounds.page.wait_for_selector("#verdict")
    shared = visit(address, fragment="#lat=46.5&lon=8.4&within=30&sure=0.93&near=100")
    assert shared.verdict() == "Found"
    assert "46.5000° N, 8.4000° E" in shared.page.locator("#position").inner_text()
    assert visit(address, fragment="#lat=x&lon=8").page.locator("#verdict").count() == 0


def test_keys_are_enough_to_try_a_sample_and_show_a_match(address, visit):
    seen = visit(address)
    page = seen.page
    page.wait_for_selector(".sample")
    page.locator("#photo").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "sample"
    page.keyboard.press("Enter")
    page.wait_for_selector("#verdict")
    page.locator(".card").first.focus()
    page.wait_for_selector("path.match.shown")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_page_fits_and_the_map_has_scale_and_attribution(address, visit, size):
    seen = visit(address, size=size)
    seen.page.wait_for_selector(".sample")
    seen.upload(PHOTO, "a_name_without_a_space_" * 5 + ".png")
    seen.page.wait_for_selector("#verdict")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert seen.page.evaluate("(it => it.scrollWidth - it.clientWidth)(document.getElementById('panel'))") == 0
    assert "Leaflet" in seen.page.locator(".leaflet-control-attribution").inner_text()
    assert seen.page.locator(".leaflet-control-scale-line").inner_text()
    seen.page.mouse.move(size[0] - 100, 200)
    expect(seen.page.locator(".pointer-place")).to_contain_text("°", timeout=PATIENCE_MS)


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")])
def test_axe_finds_no_barrier(address, visit, size, scheme):
    seen = visit(address, size=size, scheme=scheme)
    seen.page.wait_for_selector(".sample")
    barriers = found(seen.page)
    seen.page.click("#more summary")
    seen.upload(PHOTO)
    seen.page.wait_for_selector("#verdict")
    barriers += found(seen.page)
    assert barriers == []


def found(page) -> list[str]:
    """What axe-core reports, as rule and element."""
    violations = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in violations for node in one["nodes"]]
