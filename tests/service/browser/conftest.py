"""A real Chromium on a real server; skipped, and said so, where no Chromium is installed."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, Route, sync_playwright

from service.app import create_app
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.pictures import panorama_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DESKTOP, PHONE = (1440, 900), (390, 844)
PATIENCE_MS = 90_000
"""A busy machine takes its time."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one file: while it is open, an event loop runs that other tests cannot do with."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the page is not tested; `apt-get install chromium` brings one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE_MS)
        yield browser
        browser.close()


def sphere_of(seed: int) -> Image.Image:
    """A whole panorama, 2:1, in whose middle lies what the fake encoder takes for `mosaic(seed)`."""
    belt = panorama_of(seed)
    sphere = Image.new("RGB", (belt.width, belt.width // 2), (128, 128, 128))
    sphere.paste(belt, (0, (sphere.height - belt.height) // 2))
    return sphere


@contextmanager
def site(settings: Settings, encoder=None) -> Iterator[str]:
    """The address of a served index."""
    app = create_app(settings, load_encoder=lambda _: (encoder or FakeEncoder(), False))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert app.state.engine.loaded.wait(timeout=60) or not thread.is_alive()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


class Visit:
    """A page in its own browser context, and what it asked for and complained of."""

    def __init__(self, browser: Browser, address: str, *, size=DESKTOP, scheme="light", fragment="") -> None:
        self.address = address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, accept_downloads=True
        )
        self._context.set_default_timeout(PATIENCE_MS)
        self._context.route("**", self._note)
        self.page: Page = self._context.new_page()
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address + fragment)

    def _note(self, route: Route) -> None:
        self.requests.append(route.request.url)
        route.continue_()

    def upload(self, photo: bytes, name: str = "photo.png") -> None:
        """Choose a photo, and ask where it was taken."""
        self.page.set_input_files("#photo", {"name": name, "mimeType": "image/png", "buffer": photo})
        self.page.click("#send:enabled")

    def verdict(self) -> str:
        """What the answer says first."""
        return self.page.locator("#verdict").inner_text()

    @property
    def foreign(self) -> list[str]:
        """Requests that left this machine's service."""
        return [url for url in self.requests if not url.startswith((self.address, "blob:", "data:"))]

    def close(self) -> None:
        """Leave."""
        self._context.close()


@pytest.fixture
def visit(chromium):
    """Opens pages; at the end none may have asked anything of another host, or complained."""
    visits: list[Visit] = []

    def open_page(address: str, **how) -> Visit:
        visits.append(Visit(chromium, address, **how))
        return visits[-1]

    yield open_page
    for each in visits:
        each.close()
    assert [url for each in visits for url in each.foreign] == []
    assert [text for each in visits for text in each.complaints] == []
