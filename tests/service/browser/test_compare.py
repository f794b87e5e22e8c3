"""A match beside the photo, with what each part of the one contributes with each part of the other."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from indexer.building.build import build_index
from indexer.tiles.sources.open_source import open_source
from model.network.encoder import Encoder
from model.network.specs import DEFAULT_CHECKPOINT
from service.settings import Settings
from tests.service.browser.conftest import PATIENCE_MS, site, sphere_of
from tests.service.pictures import encoded, mosaic


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A few tiles that lie on no grid, embedded by the demo network itself."""
    folder = tmp_path_factory.mktemp("explained")
    lines = ["path,lat,lon,west,south,east,north"]
    for number in range(3):
        mosaic(number, side_px=96).save(folder / f"{number}.png")
        west = 8.4 + number / 1000
        lines.append(f"{number}.png,47.0005,{west + 0.0005},{west},47.0,{west + 0.001},47.001")
    (folder / "tiles.csv").write_text("\n".join(lines) + "\n")
    encoder = Encoder.load(DEFAULT_CHECKPOINT, device="cpu")
    source = open_source(folder / "tiles.csv")
    build_index(source, encoder, folder / "index")
    source.close()
    patient = Settings(index=folder / "index", workers=1, deadline_s=PATIENCE_MS / 1000)  # the first one loads torch
    with site(patient, encoder) as found:
        yield found


def painted(canvas) -> str:
    """The pixels of a heat map, encoded."""
    return canvas.evaluate("it => it.toDataURL()")


@pytest.fixture
def compared(address, visit):
    seen = visit(address)
    seen.upload(encoded(sphere_of(1)))
    seen.page.locator(".card").first.click()
    expect(seen.page.locator("#compare .heat")).to_have_count(2, timeout=PATIENCE_MS)
    return seen.page


def test_keys_open_and_close_the_comparison(address, visit):
    seen = visit(address)
    seen.upload(encoded(sphere_of(1)))
    seen.page.locator(".card").first.focus()
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("#compare .heat")).to_have_count(2, timeout=PATIENCE_MS)
    seen.page.keyboard.press("Escape")
    seen.page.wait_for_selector("#compare", state="hidden")


def test_a_match_is_explained_at_the_heading_that_was_found_with_it(address, visit):
    page = visit(address).page
    page.click("#more summary")
    page.select_option("#heading-kind", "unknown")
    page.set_input_files("#photo", {"name": "a.png", "mimeType": "image/png", "buffer": encoded(sphere_of(1))})
    with page.expect_response("**/localize") as answer:
        page.click("#send:enabled")
    matches = answer.value.json()["matches"]
    asked = []
    for match in matches:
        with page.expect_request("**/v1/explain") as explained:
            page.locator(f".card[data-rank='{match['rank']}']").click()
        expect(page.locator("#compare .heat")).to_have_count(2, timeout=PATIENCE_MS)
        asked.append(float(re.search(rb'name="heading_deg"\r\n\r\n([^\r]+)', explained.value.post_data_buffer)[1]))
        page.keyboard.press("Escape")
    assert asked == [match["heading_deg"] for match in matches]


def test_pointing_at_one_picture_lights_up_the_other(compared):
    photo, tile = (compared.locator("#compare canvas").nth(number) for number in (0, 1))
    whole = painted(photo), painted(tile)
    compared.locator(".heat").first.hover()
    assert painted(photo) == whole[0]
    assert painted(tile) != whole[1]
    expect(compared.locator(".told")).to_contain_text("% of the likeness")
    compared.mouse.move(2, 2)
    assert (painted(photo), painted(tile)) == whole
    compared.locator(".heat").nth(1).hover()
    assert painted(photo) != whole[0]


def test_the_strongest_pairs_are_joined_by_lines_between_the_pictures(compared):
    lines = compared.locator(".lines line")
    assert 1 <= lines.count() <= 6
    left, right = (compared.locator(".heat").nth(number).bounding_box() for number in (0, 1))
    origin = compared.locator("#compare-body").bounding_box()["x"]
    for number in range(lines.count()):
        start, end = (origin + float(lines.nth(number).get_attribute(name)) for name in ("x1", "x2"))
        assert left["x"] <= start <= left["x"] + left["width"]
        assert right["x"] <= end <= right["x"] + right["width"]


def test_keys_choose_a_part_and_axe_finds_no_barrier(compared):
    photo, tile = compared.locator(".heat").first, compared.locator(".heat").nth(1)
    for side in (photo, tile):
        side.locator("img").evaluate("it => it.decode()")  # until then pictures move what lies below them
    compared.keyboard.press("Tab")  # from the button that closes
    expect(photo).to_be_focused(timeout=PATIENCE_MS)
    compared.keyboard.press("ArrowRight")
    compared.keyboard.press("ArrowDown")
    expect(photo.locator(".cell")).to_be_visible(timeout=PATIENCE_MS)
    expect(compared.locator(".told")).to_contain_text("% of the likeness", timeout=PATIENCE_MS)
    photo.dispatch_event("pointerleave")  # as when a picture that loads pushes the other away from the pointer
    expect(photo.locator(".cell")).to_be_visible(timeout=PATIENCE_MS)
    assert Axe().run(compared).response["violations"] == []


def test_tiles_on_no_grid_have_their_picture(compared):
    expect(compared.locator(".card img")).to_have_count(3)
    assert compared.locator("#compare .heat img").nth(1).evaluate("it => it.decode().then(() => it.naturalWidth)") == 96
